package deploy

import (
	"slices"
	"strings"
	"testing"
)

// place is where a connection begins or ends: a component of ours, or a namespace
// by a label of it.
type place struct{ component, label string }

var (
	coordinators = place{component: "coordinator"}
	workers      = place{component: "worker"}
	redisServer  = place{component: "redis"}
	natsServer   = place{component: "nats"}
	monitoring   = place{label: "kubernetes.io/metadata.name: monitoring"}
	clients      = place{label: "overnight.api: true"}
	resolver     = place{label: "kubernetes.io/metadata.name: kube-system"}
)

// selects tells whether the selector of a peer or a policy matches.
func selects(selector any, p place) bool {
	for k, v := range mappingAt(selector, "matchLabels") {
		if k != "app.kubernetes.io/component" || v != p.component {
			return false
		}
	}
	for _, e := range list(selector, "matchExpressions") {
		if text(e, "operator") != "In" || !slices.Contains(words(e, "values"), p.component) {
			return false
		}
	}
	return p.component != ""
}

func mappingAt(v any, path ...any) node {
	m, _ := at(v, path...).(node)
	return m
}

// peer tells whether a peer of a rule is p.
func peer(rule any, p place) bool {
	if ns := mappingAt(rule, "namespaceSelector", "matchLabels"); ns != nil {
		for k, v := range ns {
			if p.label != k+": "+v.(string) {
				return false
			}
		}
		return true
	}
	return selects(at(rule, "podSelector"), p)
}

// permits tells whether some policy for one side lets the other through. Peers
// outside the namespace are under no policy of ours.
func permits(policies []node, kind string, side, other place, port string) bool {
	if side.component == "" {
		return true
	}
	key, from := "ingress", "from"
	if kind == "Egress" {
		key, from = "egress", "to"
	}
	for _, p := range policies {
		if !slices.Contains(words(p, "spec", "policyTypes"), kind) || !selects(at(p, "spec", "podSelector"), side) {
			continue
		}
		for _, rule := range list(p, "spec", key) {
			portOK := slices.ContainsFunc(list(rule, "ports"), func(v any) bool { return text(v, "port") == port })
			peerOK := slices.ContainsFunc(list(rule, from), func(v any) bool { return peer(v, other) })
			if portOK && peerOK {
				return true
			}
		}
	}
	return false
}

func TestNetworkPolicies(t *testing.T) {
	t.Parallel()
	type edge struct {
		from, to place
		port     string
	}
	want := map[string]map[edge]bool{
		overlays[0]: {
			{coordinators, redisServer, "6379"}: true, {workers, redisServer, "6379"}: true,
			{monitoring, coordinators, "9090"}: true, {monitoring, workers, "9090"}: true, {clients, coordinators, "8080"}: true,
			{coordinators, resolver, "53"}: true, {workers, resolver, "53"}: true, {redisServer, resolver, "53"}: true, {natsServer, resolver, "53"}: true,
		},
	}
	want[overlays[1]] = map[edge]bool{{coordinators, natsServer, "4222"}: true, {workers, natsServer, "4222"}: true}
	for e := range want[overlays[0]] {
		want[overlays[1]][e] = true
	}
	places := []place{coordinators, workers, redisServer, natsServer, monitoring, clients, resolver}
	ports := []string{"8080", "9090", "6379", "4222", "8222", "53", "443"}
	for _, overlay := range overlays {
		var policies []node
		denied := false
		for _, objects := range resources(t, overlay) {
			for _, o := range objects {
				if text(o, "kind") != "NetworkPolicy" {
					continue
				}
				policies = append(policies, o)
				denied = denied || len(mappingAt(o, "spec", "podSelector")) == 0 && slices.Equal(words(o, "spec", "policyTypes"), []string{"Ingress", "Egress"}) &&
					len(list(o, "spec", "ingress")) == 0 && len(list(o, "spec", "egress")) == 0
			}
		}
		if !denied {
			t.Errorf("%s: no policy denies what the others don't name", overlay)
		}
		for _, from := range places {
			for _, to := range places {
				if from.component == "" && to.component == "" || from == to {
					continue
				}
				for _, port := range ports {
					got := permits(policies, "Egress", from, to, port) && permits(policies, "Ingress", to, from, port)
					if w := want[overlay][edge{from, to, port}]; got != w {
						t.Errorf("%s: %+v to %+v on port %s: permitted is %v, want %v", overlay, from, to, port, got, w)
					}
				}
			}
		}
	}
}

// Every port that is written anywhere is the one that the program and the engines
// listen on.
func TestPortsMatch(t *testing.T) {
	t.Parallel()
	const api, metrics = "8080", "9090"
	for name, want := range map[string]string{"--api": "127.0.0.1:" + api, "--metrics": "127.0.0.1:" + metrics} {
		if got := flags(t, "serve")[name].preset; got != want {
			t.Errorf("overnight serve %s defaults to %q, but these files say %q", name, got, want)
		}
	}
	expose := strings.Fields(strings.Join(instructions(t, "EXPOSE"), " "))
	if !slices.Equal(expose, []string{api, metrics, "4222"}) {
		t.Errorf("EXPOSE %v", expose)
	}
	for _, c := range commands(t) {
		port := func(flag string) string {
			v := option(c.line, flag)
			return v[strings.LastIndex(v, ":")+1:]
		}
		if p := port("--api"); p != "" && p != api {
			t.Errorf("%s: --api on port %s, want %s", c.where, p, api)
		}
		if p := port("--metrics"); p != "" && p != metrics && p != "%i" {
			t.Errorf("%s: --metrics on port %s, want %s", c.where, p, metrics)
		}
		if c.line[0] == "health" && !strings.HasSuffix(c.line[1], ":"+metrics) {
			t.Errorf("%s asks %s, want port %s", c.where, c.line[1], metrics)
		}
	}
	if !strings.Contains(read(t, "redis/redis.conf"), "\nport 6379\n") || !strings.Contains(read(t, "nats/nats.conf"), `"0.0.0.0:4222"`) {
		t.Error("redis.conf or nats.conf listens on another port than 6379 or 4222")
	}
	named := map[string]string{"api": api, "metrics": metrics, "redis": "6379", "nats": "4222"}
	for _, c := range containers(t) {
		for _, p := range list(c.spec, "ports") {
			if want := named[text(p, "name")]; text(p, "containerPort") != want {
				t.Errorf("%s: port %s is %s, want %q", c.where, text(p, "name"), text(p, "containerPort"), want)
			}
		}
		for k, v := range c.env {
			checkAddress(t, c.where, k, v)
		}
		if strings.HasPrefix(c.image, "overnight") {
			if got := text(annotations(t, c.role), "prometheus.io/port"); got != metrics {
				t.Errorf("%s is scraped on port %q, want %s", c.where, got, metrics)
			}
		}
	}
	for _, objects := range resources(t, overlays[1]) {
		for _, o := range objects {
			for _, p := range list(o, "spec", "ports") {
				if text(o, "kind") == "Service" && text(p, "port") != named[text(p, "targetPort")] {
					t.Errorf("service %s: port %s leads to %s", text(o, "metadata", "name"), text(p, "port"), text(p, "targetPort"))
				}
			}
		}
	}
	for name, s := range services(t) {
		for k, v := range environment(s) {
			checkAddress(t, "compose.yaml: "+name, k, v)
			if host, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(v, "redis://"), "nats://"), ":"); ok && strings.Contains(v, "://") && services(t)[host] == nil {
				t.Errorf("compose.yaml: %s: %s leads to %s, which is no service", name, k, host)
			}
		}
	}
	for _, job := range list(mapping(t, "prometheus/prometheus.yaml"), "scrape_configs") {
		if p := text(job, "dns_sd_configs", 0, "port"); p != metrics {
			t.Errorf("prometheus.yaml: %s is scraped on port %s, want %s", text(job, "job_name"), p, metrics)
		}
		for _, name := range words(job, "dns_sd_configs", 0, "names") {
			if services(t)[name] == nil {
				t.Errorf("prometheus.yaml scrapes %s, which is no service of compose.yaml", name)
			}
		}
	}
}

// annotations are those of the pods of a component.
func annotations(t *testing.T, role string) node {
	t.Helper()
	for _, objects := range resources(t, "kustomize/base") {
		for _, o := range objects {
			if text(o, "spec", "template", "metadata", "labels", "app.kubernetes.io/component") == role {
				return mappingAt(o, "spec", "template", "metadata", "annotations")
			}
		}
	}
	return nil
}

func checkAddress(t *testing.T, where, key, value string) {
	t.Helper()
	for scheme, want := range map[string]string{"redis://": ":6379", "nats://": ":4222"} {
		if strings.HasPrefix(value, scheme) && !strings.HasSuffix(value, want) {
			t.Errorf("%s: %s is %s, want port %s", where, key, value, want)
		}
	}
}
