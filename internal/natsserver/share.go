package natsserver

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// usersAccount is the name of the account that Options.Users share.
const usersAccount = "users"

const (
	pullPrefix = "$JS.API.CONSUMER.MSG.NEXT." // requests with many answers
	jsPrefix   = "$JS."
	// answerWithin is for how long the server knows where an answer goes to, from
	// the request or, where there are many, from the last one.
	answerWithin = 2 * time.Minute
)

// share exports what users may publish to from the account of the process, where
// JetStream is, and imports it into theirs.
func (s *Server) share(o Options) error {
	if o.Listen == "" {
		return nil
	}
	own := s.s.GlobalAccount()
	users, err := s.s.LookupAccount(usersAccount)
	if err != nil {
		return err
	}
	// With more than one account the server gives JetStream to none by itself.
	if err := own.EnableJetStream(nil, nil); err != nil {
		return err
	}
	var subjects []string
	for _, u := range o.Users {
		subjects = append(subjects, u.Publish...)
	}
	slices.Sort(subjects)
	for _, subject := range slices.Compact(subjects) {
		answers := server.Singleton
		if strings.HasPrefix(subject, pullPrefix) {
			// Many answers end with an empty message without a header; if a stream held
			// one, what was sent behind it would be lost until its lease ended. No job
			// is empty.
			answers = server.Streamed
		}
		if err := own.AddServiceExportWithResponse(subject, answers, []*server.Account{users}); err != nil {
			return fmt.Errorf("export %s: %w", subject, err)
		}
		if !strings.HasPrefix(subject, jsPrefix) || answers == server.Streamed {
			if err := own.SetServiceExportResponseThreshold(subject, answerWithin); err != nil {
				return fmt.Errorf("export %s: %w", subject, err)
			}
		}
		if err := users.AddServiceImport(own, subject, subject); err != nil {
			return fmt.Errorf("import %s: %w", subject, err)
		}
	}
	return nil
}
