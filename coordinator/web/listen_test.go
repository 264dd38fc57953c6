package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate of its own making and its key.
func certificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "api.crt"), filepath.Join(dir, "api.key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path+".new", pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestListen holds which addresses are opened without what protects them.
func TestListen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := certificate(t, dir, "x")
	_, line, err := NewToken(View, "x")
	if err != nil {
		t.Fatal(err)
	}
	tokens := filepath.Join(dir, "tokens")
	if err := os.WriteFile(tokens, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		a    Address
		want string
	}{
		"loopback":           {Address{Addr: "127.0.0.1:0"}, ""},
		"IPv6 loopback":      {Address{Addr: "[::1]:0"}, ""},
		"localhost":          {Address{Addr: "localhost:0"}, ""},
		"loopback, tokens":   {Address{Addr: "127.0.0.1:0", Tokens: tokens}, ""},
		"everywhere":         {Address{Addr: ":0"}, "add --tls-cert FILE --tls-key FILE --tokens FILE;"},
		"0.0.0.0":            {Address{Addr: "0.0.0.0:0"}, "add --tls-cert FILE --tls-key FILE --tokens FILE;"},
		"::":                 {Address{Addr: "[::]:0"}, "add --tls-cert"},
		"tokens alone":       {Address{Addr: ":0", Tokens: tokens}, "add --tls-cert FILE --tls-key FILE;"},
		"TLS alone":          {Address{Addr: ":0", Cert: cert, Key: key}, "add --tokens FILE;"},
		"both":               {Address{Addr: ":0", Cert: cert, Key: key, Tokens: tokens}, ""},
		"insecure":           {Address{Addr: ":0", Insecure: true}, ""},
		"certificate alone":  {Address{Addr: "127.0.0.1:0", Cert: cert}, "go together"},
		"no such tokens":     {Address{Addr: "127.0.0.1:0", Tokens: dir + "/none"}, "no such file"},
		"tokens all can set": {Address{Addr: "127.0.0.1:0", Tokens: open}, "written by everybody"},
		"key as certificate": {Address{Addr: "127.0.0.1:0", Cert: key, Key: cert}, "certificate"},
		"no port":            {Address{Addr: "127.0.0.1"}, "write HOST:PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := Listen(c.a, nil)
			if err == nil {
				defer l.Close()
			}
			switch {
			case c.want == "" && err != nil && strings.Contains(c.a.Addr, "::"):
				t.Skipf("no IPv6 here: %v", err)
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case err == nil && (l.Tokens != nil) != (c.a.Tokens != ""):
				t.Error("the tokens are lost")
			}
		})
	}
}

// TestServe changes the certificate of a server that runs, over HTTP/2, and ends
// it while a stream is open.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := certificate(t, dir, "first")
	l, err := Listen(Address{Addr: "127.0.0.1:0", Cert: cert, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-closing(r)
	})
	go func() { ended <- Serve(ctx, l, mux, nil) }()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // its name is looked at here
	}}
	get := func(path string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+l.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	shown := func() string {
		answer := get("/")
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.TLS.PeerCertificates[0].Subject.CommonName + " " + string(text)
	}
	if got := shown(); got != "first HTTP/2.0" {
		t.Errorf("got %q", got)
	}
	certificate(t, dir, "second")
	for end := time.Now().Add(10 * time.Second); shown() != "second HTTP/2.0"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still %q", shown())
		}
	}
	stream := get("/stream")
	defer stream.Body.Close()
	stop()
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * closeTimeout):
		t.Error("does not end")
	}
}
