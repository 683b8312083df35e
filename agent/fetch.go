package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/agent/model/wire"
	"github.com/teapot-tee/teapot/agent/plugin"
)

const secretMark = "secret:"

// Fetch makes one request for a plugin: https only, to a host of the configuration, no redirects, bounded. A header
// "secret:NAME" is filled in by the gate if the configuration binds that secret to that host; the plugin never sees it.
func (t *turn) Fetch(ctx context.Context, r plugin.Request) (plugin.Response, error) {
	target, err := url.Parse(r.URL)
	if err != nil {
		return plugin.Response{}, fmt.Errorf("the URL cannot be read: %w", err)
	}
	if !t.agent.mayFetch(target) {
		return plugin.Response{}, fmt.Errorf("%w: the host %.100q is not on the list of hosts", plugin.ErrNotConfigured, target.Host)
	}
	var out plugin.Response
	detail := map[string]any{"method": r.Method, "url": r.URL, "request_sha256": digest(r.Body), "request_bytes": len(r.Body)}
	err = t.Do(ctx, plugin.Intent{Name: "HTTP", Detail: detail}, func(ctx context.Context) (any, error) {
		out, err = t.send(ctx, target, r)
		return map[string]any{"status": out.Status, "response_sha256": digest(out.Body), "response_bytes": len(out.Body)}, err
	})
	return out, err
}

// mayFetch allows https to listed hosts; a host listed with a port allows plain http too, for services beside the agent.
func (a *Agent) mayFetch(u *url.URL) bool {
	if u.User != nil {
		return false
	}
	if u.Scheme == "https" && slices.Contains(a.config.Hosts, u.Hostname()) {
		return true
	}
	return (u.Scheme == "http" || u.Scheme == "https") && u.Port() != "" && slices.Contains(a.config.Hosts, u.Host)
}

func (t *turn) send(ctx context.Context, target *url.URL, r plugin.Request) (plugin.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, target.String(), bytes.NewReader(r.Body))
	if err != nil {
		return plugin.Response{}, err
	}
	for name, value := range r.Header {
		if value, err = t.agent.fill(value, target.Host); err != nil {
			return plugin.Response{}, err
		}
		req.Header.Set(name, value)
	}
	client := t.agent.config.HTTP
	if client == nil {
		client = wire.NewHTTP()
	}
	resp, err := client.Do(req)
	if err != nil {
		return plugin.Response{}, err
	}
	defer resp.Body.Close()
	limit := r.Limit
	if limit <= 0 || limit > 8<<20 {
		limit = 1 << 20
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)))
	return plugin.Response{Status: resp.StatusCode, Body: body}, err
}

// fill puts a secret into a header for the one host that may have it.
func (a *Agent) fill(value, host string) (string, error) {
	before, name, ok := strings.Cut(value, secretMark)
	if !ok {
		return value, nil
	}
	if a.config.HostKeys[name] != host {
		return "", fmt.Errorf("%w: the secret %.60q does not go to %.100q", plugin.ErrNotConfigured, name, host)
	}
	secret, ok := a.character.Secret(name)
	if !ok {
		return "", fmt.Errorf("%w: there is no secret %.60q", plugin.ErrNotConfigured, name)
	}
	return before + secret, nil
}
