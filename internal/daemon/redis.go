package daemon

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Redis is a redis-server on 127.0.0.1 with its files in a folder.
type Redis struct {
	*Process
	Addr string
	Dir  string
	conf []string
	env  []string
}

// ErrNoRedis is wrapped where the program is not installed.
var ErrNoRedis = errors.New("redis-server is not installed: apt-get install redis-server")

// StartRedis starts redis-server on a free port with its data in dir, an
// append-only file synced every second and no eviction. conf are further
// arguments, such as "--appendfsync", "always".
func StartRedis(dir string, conf ...string) (*Redis, error) { return StartRedisEnv(dir, nil, conf...) }

// StartRedisEnv is StartRedis with more in the environment.
func StartRedisEnv(dir string, env []string, conf ...string) (*Redis, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	if slices.Contains(conf, "--cluster-enabled") && !slices.Contains(conf, "--cluster-port") {
		// By default it is the port and 10,000, for which many free ports are too high.
		bus, err := FreePort()
		if err != nil {
			return nil, err
		}
		conf = append(slices.Clone(conf), "--cluster-port", strconv.Itoa(bus))
	}
	r := &Redis{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Dir: dir, conf: conf, env: env}
	return r, r.Restart()
}

// Restart starts the server again on its port, after it was killed or stopped,
// and returns when it answers.
func (r *Redis) Restart() error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return ErrNoRedis
	}
	_, port, err := net.SplitHostPort(r.Addr)
	if err != nil {
		return err
	}
	args := append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", r.Dir,
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"}, r.conf...)
	r.Process, err = Start(filepath.Join(r.Dir, "redis.log"), r.env, "redis-server", args...)
	if err != nil {
		return err
	}
	if err := WaitPort(r.Addr, 10*time.Second); err != nil {
		r.Kill()
		return fmt.Errorf("%w; its log is %s", err, filepath.Join(r.Dir, "redis.log"))
	}
	return nil
}
