package main

import (
	"os"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// formNATS is nats.conf of deploy with what stands there as a comment for TLS,
// users with nkeys, and records in Redis.
func formNATS(f *form) {
	a := f.pki()
	keys := ""
	for who, env := range map[string]*[]string{"coordinator": &f.run, "worker": &f.worker} {
		pair, err := nkeys.CreateUser()
		if err != nil {
			f.t.Fatal(err)
		}
		seed, err := pair.Seed()
		if err != nil {
			f.t.Fatal(err)
		}
		public, err := pair.PublicKey()
		if err != nil {
			f.t.Fatal(err)
		}
		keys += strings.ToUpper(who) + ` = "` + public + "\"\n"
		*env = append(a.env(who), "OVERNIGHT_NATS_NKEY_FILE="+f.write(who+".nk", string(seed)+"\n"))
	}
	f.write("keys.conf", keys)
	b, err := os.ReadFile("../../deploy/nats/nats.conf")
	if err != nil {
		f.t.Fatal(err)
	}
	port := freePort(f.t)
	conf := strings.NewReplacer(
		"0.0.0.0:4222", "127.0.0.1:"+port, `http: "127.0.0.1:8222"`, "", `"/data"`, `"`+f.dir+`/nats"`,
		"# tls {\n", "tls {\n", `#   cert_file: "/run/secrets/nats.crt"`, `cert_file: "`+a.file("server.crt")+`"`,
		`#   key_file: "/run/secrets/nats.key"`, `key_file: "`+a.file("server.key")+`"`, "\n# }", "\n}",
	).Replace(string(b))
	if !strings.Contains(conf, "\ntls {\n") {
		f.t.Fatal("nats.conf has no commented TLS")
	}
	f.start("nats", []string{mainEnv + "=1"}, os.Args[0], "nats-server", "-c", f.write("nats.conf", conf))
	f.listens(port)
	f.args = []string{"--queue", "tls://127.0.0.1:" + port, "--store", "redis://" + startRedis(f.t)}
	f.begin()
	f.end("nats " + server.VERSION)
	for _, name := range []string{"nats.log", "run.log", "worker-0.log", "worker-1.log"} {
		if log := f.read(name); strings.Contains(strings.ToLower(log), "violation") {
			f.t.Errorf("NATS denied something:\n%s", f.logs())
		}
	}
}
