package dstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// maxAnswer bounds an answer: quote, event log and app-compose of real guests are below 1 MiB.
const maxAnswer = 32 << 20

// attempts and pause bound the retries of a connection that is refused: agents restart, and unix sockets have short queues.
const (
	attempts = 4
	pause    = 50 * time.Millisecond
)

// transport speaks JSON over HTTP to one agent.
type transport struct {
	endpoint string // for people
	base     string // for http: scheme and host
	socket   string // path, "" for TCP
	client   *http.Client
}

// findEndpoint returns the endpoint or the first socket that is there.
func findEndpoint(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	for _, path := range Sockets() {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no dstack guest agent: none of %s is there; mount the socket into this container", strings.Join(Sockets(), ", "))
}

func newTransport(endpoint string, timeout time.Duration) (transport, error) {
	t := transport{endpoint: endpoint, base: "http://localhost"}
	inner := &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 5 * time.Second, DisableCompression: true}
	t.client = &http.Client{Timeout: timeout, Transport: inner, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	if strings.HasPrefix(endpoint, "http://") || strings.HasPrefix(endpoint, "https://") {
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" {
			return t, fmt.Errorf("endpoint %q is neither a URL nor a socket path", endpoint)
		}
		t.base = u.Scheme + "://" + u.Host // published SDKs drop the path, too
		return t, nil
	}
	t.socket = strings.TrimPrefix(strings.TrimPrefix(endpoint, "unix://"), "unix:")
	inner.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", t.socket)
	}
	return t, t.checkSocket()
}

// checkSocket turns the usual mistakes into sentences.
func (t transport) checkSocket() error {
	info, err := os.Stat(t.socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("guest agent socket %s is not there: is this a dstack guest, and is the socket mounted into this container?", t.socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("guest agent socket %s may not be reached by user %d: %w", t.socket, os.Getuid(), err)
	case err != nil:
		return fmt.Errorf("guest agent socket: %w", err)
	case info.IsDir():
		return fmt.Errorf("%s is a directory, not a socket: docker made it because the socket did not exist when the container started; "+
			"remove it on the host and mount the real socket", t.socket)
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%s is not a socket", t.socket)
	}
	return nil
}

func (t transport) close() { t.client.CloseIdleConnections() }

// AgentError is the agent's own refusal.
type AgentError struct {
	Method  string // path of the call
	Status  int    // HTTP
	Message string // at most 512 bytes of the agent's text
}

func (e *AgentError) Error() string {
	return fmt.Sprintf("guest agent: %s: %s (HTTP %d)", e.Method, e.Message, e.Status)
}

// call posts JSON and decodes the answer. again allows a repetition after the connection broke in mid-call: not for what changes state.
func (t transport) call(ctx context.Context, path string, request, answer any, again bool) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("guest agent: %s: %w", path, err)
	}
	for n := 1; ; n++ {
		err := t.once(ctx, path, body, answer)
		if n == attempts || !retryable(err, again) {
			return t.explain(err)
		}
		select {
		case <-ctx.Done():
			return t.explain(err)
		case <-time.After(pause << n):
		}
	}
}

// retryable: nothing of the request was seen by a server, or repeating it is harmless and the connection broke.
func retryable(err error, again bool) bool {
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EAGAIN) {
		return true
	}
	return again && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
}

func (t transport) once(ctx context.Context, path string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("guest agent: %s: %w", path, err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := t.client.Do(r)
	if err != nil {
		return fmt.Errorf("guest agent: %s: %w", path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("guest agent: %s: reading the answer: %w", path, err)
	}
	if len(raw) > maxAnswer {
		return fmt.Errorf("guest agent: %s: answer of more than %d bytes", path, maxAnswer)
	}
	return decodeAnswer(path, resp.StatusCode, raw, answer)
}

func decodeAnswer(path string, status int, raw []byte, answer any) error {
	var refusal struct {
		Error *string `json:"error"`
	}
	isJSON := json.Unmarshal(raw, &refusal) == nil
	if status != http.StatusOK || refusal.Error != nil {
		text := http.StatusText(status)
		if refusal.Error != nil {
			text = *refusal.Error
		}
		return &AgentError{Method: path, Status: status, Message: text[:min(len(text), 512)]}
	}
	if !isJSON && !bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return fmt.Errorf("guest agent: %s: the answer is not JSON: %.100q", path, raw)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("guest agent: %s: reading the answer: %w", path, err)
	}
	return nil
}

// explain adds what to do to errors of the connection.
func (t transport) explain(err error) error {
	var timeout net.Error
	switch {
	case err == nil:
		return nil
	case t.socket != "" && errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: user %d may not write to %s", err, os.Getuid(), t.socket)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: nobody serves %s; is the guest agent (or teapot simulate) running?", err, t.endpoint)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: %s did not answer in %s", err, t.endpoint, t.client.Timeout)
	}
	return err
}

// offers reports whether a method exists and answers with an object that has the wanted members; a refusal means no.
func (c *Client) offers(ctx context.Context, path string, answer any) (bool, error) {
	request := map[string]string{}
	if strings.HasSuffix(path, "TdxQuote") {
		request = map[string]string{"report_data": strings.Repeat("00", 64), "hash_algorithm": "raw"}
	}
	err := c.http.call(ctx, path, request, answer, true)
	if _, refused := errors.AsType[*AgentError](err); refused {
		return false, nil
	}
	return err == nil, err
}
