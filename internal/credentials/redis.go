package credentials

import (
	"context"
	"errors"
)

// Redis returns what go-redis calls for user and password before each new
// connection (Options.CredentialsProviderContext), from OVERNIGHT_REDIS_USERNAME
// and OVERNIGHT_REDIS_PASSWORD or OVERNIGHT_REDIS_PASSWORD_FILE; nil where none
// is set. Without a user name Redis takes the password for its default user.
func (e Env) Redis() (func(context.Context) (username, password string, err error), error) {
	user := e.get("OVERNIGHT_REDIS_USERNAME")
	password, err := e.Secret("OVERNIGHT_REDIS_PASSWORD")
	switch {
	case err != nil:
		return nil, err
	case password == nil && user != "":
		return nil, errors.New("OVERNIGHT_REDIS_USERNAME is set without a password: set OVERNIGHT_REDIS_PASSWORD_FILE too")
	case password == nil:
		return nil, nil
	}
	return func(context.Context) (string, string, error) { return user, password.Reveal(), nil }, nil
}
