package client

import (
	"net"
	"net/http"
	"net/url"
)

// NewHTTP is an HTTP client for one server that will be sent a token, if there is one. It follows no redirect.
//
// What is read may come over a connection that proves nothing: the verdict says what it was worth. A token is gone once it is sent, so
// it goes to this machine, or to a server whose certificate the web's authorities vouch for. For a server that is known by its quote
// alone, Attested makes the client.
func NewHTTP(base *url.URL, token string) (*http.Client, error) {
	t := NewTransport()
	c := &http.Client{Transport: t, CheckRedirect: refuseRedirect}
	if token == "" || Loopback(base) {
		return c, nil
	}
	if base.Scheme != "https" {
		return nil, &Error{
			Op: "sending the token to " + base.String(), Cause: "plain http to another machine: everybody on the way would have it",
			Next: "use https, or a tunnel that ends on this machine (ssh -L 3000:127.0.0.1:3000)",
		}
	}
	t.TLSClientConfig.InsecureSkipVerify = false
	return c, nil
}

// Loopback says whether an address names this machine, where there is no network to protect.
func Loopback(base *url.URL) bool {
	host := base.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
