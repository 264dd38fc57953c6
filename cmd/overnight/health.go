package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) healthCmd() *cobra.Command {
	var ready bool
	c := &cobra.Command{
		Use:   "health [ADDR]",
		Short: "Ask a running worker or service whether it is well",
		Long: `Health asks /livez at the address that serve and worker were given with --metrics,
and exits with 0 or 3: for the health checks of containers, which have no curl.`,
		Example: "  overnight health 127.0.0.1:9090\n  overnight health 127.0.0.1:9090 --ready",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr := defaultMetrics
			if len(args) > 0 {
				addr = args[0]
			}
			path := "/livez"
			if ready {
				path = "/readyz"
			}
			return a.health(cmd.Context(), addr, path)
		},
	}
	c.Flags().BoolVar(&ready, "ready", false, "ask /readyz: whether it can do its work")
	return c
}

func (a *app) health(ctx context.Context, addr, path string) error {
	url := addr
	if !strings.Contains(url, "://") {
		if strings.HasPrefix(url, ":") {
			url = "127.0.0.1" + url
		}
		url = "http://" + url
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+path, nil)
	if err != nil {
		return usage("health %s: write the address that --metrics has, such as 127.0.0.1:9090", addr)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return engine(fmt.Errorf("nobody answers: %w", err))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return engine(err)
	}
	text := strings.TrimSpace(string(body))
	if answer.StatusCode != http.StatusOK {
		return engine(fmt.Errorf("%s answers %s: %s", req.URL.Redacted(), answer.Status, text))
	}
	fmt.Fprintln(a.out, text)
	return nil
}
