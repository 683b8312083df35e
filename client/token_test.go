package client_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/client"
)

// Somebody on the way to the agent ends TLS with a certificate of their own. What is read is judged later; a token would be gone.
func TestTheTokenDoesNotGoToTheManInTheMiddle(t *testing.T) {
	var heard []string
	middle := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		heard = append(heard, r.Header.Get("Authorization"))
	}))
	defer middle.Close()
	ask := func(token string) error {
		base := &url.URL{Scheme: "https", Host: "agent.test"}
		c, err := client.NewHTTP(base, token)
		if err != nil {
			t.Fatal(err)
		}
		transport := c.Transport.(*http.Transport)
		defer transport.CloseIdleConnections()
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", middle.Listener.Addr().String())
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base.String(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := c.Do(req)
		if err != nil {
			return client.Unreachable(base, err)
		}
		return resp.Body.Close()
	}
	if err := ask("secret"); err == nil || !strings.Contains(err.Error(), "the token was not sent") || len(heard) != 0 {
		t.Errorf("%v; heard %q", err, heard)
	}
	if err := ask(""); err != nil || len(heard) != 1 {
		t.Errorf("without a token: %v", err)
	}
}

func TestTheTokenIsNotSentInTheClear(t *testing.T) {
	for address, ok := range map[string]bool{"http://agent.test": false, "http://192.0.2.1:3000": false, "http://127.0.0.1:3000": true, "http://[::1]:3000": true, "https://agent.test": true} {
		if _, err := client.New(address, client.Options{Token: "secret"}); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
		if _, err := client.New(address, client.Options{}); err != nil {
			t.Errorf("%s without a token: %v", address, err)
		}
	}
}

func TestAnAddressNeedsNoPort(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://agent.example": true, "http://localhost": true, "https://[2001:db8::1]": true, "https://agent.example/under/": true,
		"agent.example:443": false, "agent.example": false, "https://u:p@agent.example": false, "ftp://agent.example": false, "https://": false, "https://agent.example?x": false,
	} {
		if _, err := client.ParseAddress(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAStrangersErrorIsShort(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(`{"cause":"` + strings.Repeat("é", 5000) + `","next":"` + strings.Repeat("x", 5000) + `"}`))
	}))
	defer server.Close()
	c, err := client.New(server.URL, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Info(t.Context())
	var refused *client.Error
	if !errors.As(err, &refused) || len(refused.Cause) > 520 || len(refused.Next) > 520 || !utf8.ValidString(refused.Cause) {
		t.Errorf("%d bytes, %v", len(err.Error()), refused)
	}
}
