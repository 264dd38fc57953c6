package credentials

import (
	"context"
	"fmt"
)

// Redis returns what go-redis calls for user and password before each new
// connection (Options.CredentialsProviderContext), from OVERNIGHT_REDIS_USERNAME
// and OVERNIGHT_REDIS_PASSWORD or OVERNIGHT_REDIS_PASSWORD_FILE; nil where none
// is set. Without a user name Redis takes the password for its default user.
func (e Env) Redis() (func(context.Context) (username, password string, err error), error) {
	return e.login("OVERNIGHT_REDIS_USERNAME", "OVERNIGHT_REDIS_PASSWORD")
}

// Sentinel is Redis for Sentinels, who know none of their master's users: from
// OVERNIGHT_SENTINEL_USERNAME and OVERNIGHT_SENTINEL_PASSWORD or
// OVERNIGHT_SENTINEL_PASSWORD_FILE. Nil, which is the rule, for Sentinels without
// a password: they refuse those who show one.
func (e Env) Sentinel() (func(context.Context) (username, password string, err error), error) {
	return e.login("OVERNIGHT_SENTINEL_USERNAME", "OVERNIGHT_SENTINEL_PASSWORD")
}

func (e Env) login(name, secret string) (func(context.Context) (username, password string, err error), error) {
	user := e.get(name)
	password, err := e.Secret(secret)
	switch {
	case err != nil:
		return nil, err
	case password == nil && user != "":
		return nil, fmt.Errorf("%s is set without a password: set %s_FILE too", name, secret)
	case password == nil:
		return nil, nil
	}
	return func(context.Context) (string, string, error) { return user, password.Reveal(), nil }, nil
}
