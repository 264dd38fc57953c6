package asynqqueue

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// tasks carry jobs for as long as it takes: asynq ends none of them.
const (
	longest = 100 * 365 * 24 * time.Hour
	retries = 1<<31 - 1 // after its worker crashed; 0 would lose a job with its worker
)

// decode reads a task's message as asynq does, whose type is registered under
// this name.
func decode(msg string) (protoreflect.Message, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName("asynq.TaskMessage")
	if err != nil {
		return nil, err
	}
	m := t.New()
	return m, proto.Unmarshal([]byte(msg), m.Interface())
}

func field(m protoreflect.Message, name protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(name))
}

// sane tells what is wrong with a task's message such that asynq could not run
// and end it: one undecodable message ends asynq's recovery of all others.
func (q *Queue) sane(msg string) error {
	m, err := decode(msg)
	switch {
	case err != nil:
		return fmt.Errorf("asynq can't decode it: %w", err)
	case field(m, "id").String() == "":
		return errors.New("it has no id")
	case field(m, "queue").String() != q.name:
		return fmt.Errorf("it belongs to queue %q", field(m, "queue").String())
	case field(m, "timeout").Int() != int64(longest/time.Second) || field(m, "deadline").Int() != 0:
		return errors.New("it has a time limit of its own")
	case field(m, "retry").Int() != retries || field(m, "retention").Int() != 0 || field(m, "unique_key").String() != "":
		return errors.New("it was not added by this queue")
	}
	return nil
}
