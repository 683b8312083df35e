package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxAnswer bounds what a platform may answer, in bytes.
const maxAnswer = 8 << 20

// ErrDryRun ends a dry run after the last request that could be printed: what follows would need the platform's answer.
var ErrDryRun = errors.New("dry run: nothing was sent")

// API is how to reach a platform.
type API struct {
	Base   string            // http(s) URL, or unix:/path/to/socket
	Header map[string]string // authentication; printed as *** in a dry run
	DryRun io.Writer         // not nil: print requests, send nothing
}

// refusal is an answer outside 2xx.
type refusal struct {
	Method, Path string
	Status       int
	Text         string
}

func (e *refusal) Error() string {
	return fmt.Sprintf("%s %s answered %d: %s", e.Method, e.Path, e.Status, e.Text)
}

func (a API) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	if a.DryRun != nil {
		return a.print(method, path, body)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	resp, err := a.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return &refusal{method, path, resp.StatusCode, clip(strings.TrimSpace(string(answer)))}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s did not answer with the JSON expected: %w", method, path, err)
	}
	return nil
}

func (a API) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	base := strings.TrimSuffix(a.Base, "/")
	client := http.DefaultClient
	if socket, ok := strings.CutPrefix(a.Base, "unix:"); ok {
		base = "http://vmm"
		client = &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
		}}
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range a.Header {
		req.Header.Set(k, v)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be reached: %w", a.Base, err)
	}
	return resp, nil
}

// print shows a request; authentication is hidden, sealed secrets are already unreadable.
func (a API) print(method, path string, body []byte) error {
	fmt.Fprintf(a.DryRun, "%s %s%s\n", method, strings.TrimSuffix(a.Base, "/"), path)
	for k := range a.Header {
		fmt.Fprintf(a.DryRun, "%s: ***\n", k)
	}
	if body != nil {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, body, "", "  "); err != nil {
			return err
		}
		fmt.Fprintf(a.DryRun, "\n%s\n", pretty.String())
	}
	fmt.Fprintln(a.DryRun)
	return ErrDryRun
}

func clip(s string) string {
	if len(s) > 512 {
		return s[:512] + "…"
	}
	return s
}
