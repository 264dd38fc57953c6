package web

import (
	_ "embed"
	"net/http"

	"github.com/goccy/go-yaml"
)

//go:embed openapi.yaml
var openapiYAML []byte

// openAPI returns the description of the API as JSON.
func openAPI() []byte {
	b, err := yaml.YAMLToJSON(openapiYAML)
	if err != nil {
		panic(err) // it is embedded above
	}
	return b
}

func (a *api) document(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.openapi) // the asker may be gone
	return nil
}
