package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/client"
	v1 "github.com/teapot-tee/teapot/server/v1"
)

// logSource reads one log: over the network, or through the same routes inside this process (log_offline.go).
type logSource struct {
	base  *url.URL
	http  *http.Client
	token string
	agent string
	where string // for messages
	// running says that an agent answers, not a directory.
	running bool
	close   func() error
}

func (f *logFlags) open(cmd *cobra.Command) (*logSource, error) {
	if f.data != "" {
		return f.openOffline(cmd)
	}
	base, err := client.ParseAddress(f.url)
	if err != nil {
		return nil, &exitError{code: 64, err: err}
	}
	f.token = tokenFor(cmd, base, f.token)
	talk, err := client.NewHTTP(base, f.token)
	if err != nil {
		return nil, hinted(err)
	}
	s := &logSource{base: base, http: talk, token: f.token, agent: f.agent, where: f.url, running: true, close: func() error { return nil }}
	if uuid.Valid(s.agent) {
		return s, nil
	}
	c, err := client.New(f.url, client.Options{Token: f.token})
	if err != nil {
		return nil, &exitError{code: 64, err: err}
	}
	if s.agent, err = oneAgent(cmd, c, s.agent); err != nil {
		return nil, hinted(err)
	}
	return s, nil
}

// refusal is an RFC 9457 problem of the server.
type refusal struct {
	Status             int
	Title, Cause, Next string
}

func (r *refusal) Error() string { return r.Title + ": " + r.Cause }

func (s *logSource) send(ctx context.Context, method, path string, query url.Values, body any, headers ...string) (*http.Response, error) {
	where := s.base.JoinPath("v1", "agents", s.agent, path)
	where.RawQuery = query.Encode()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, where.String(), bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, hinted(client.Unreachable(s.base, err))
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, s.refused(resp)
}

func (s *logSource) refused(resp *http.Response) error {
	r := &refusal{Status: resp.StatusCode}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil || json.Unmarshal(b, r) != nil || r.Title == "" {
		return &exitError{code: 2, err: fmt.Errorf("%s answered %s, not as Teapot does", s.where, resp.Status), hint: "check the address"}
	}
	code := 2
	switch resp.StatusCode {
	case http.StatusConflict:
		code = 1
	case http.StatusBadRequest:
		code = 64
	}
	hint := r.Next
	if resp.StatusCode == http.StatusNotFound {
		hint = "teapot log stats " + s.where + " says how many entries there are; without --agent it says which agents"
	}
	return &exitError{code: code, err: r, hint: hint}
}

// get decodes a JSON answer.
func (s *logSource) get(ctx context.Context, path string, query url.Values, into any) error {
	resp, err := s.send(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return decodeAnswer(resp.Body, into)
}

func decodeAnswer(r io.Reader, into any) error {
	if err := json.NewDecoder(r).Decode(into); err != nil {
		return fmt.Errorf("the answer broke off or is not Teapot's: %w", err)
	}
	return nil
}

// entriesPage is the answer of GET …/entries.
type entriesPage struct {
	Size    uint64      `json:"size"`
	Total   *uint64     `json:"total,omitempty"`
	Next    string      `json:"next,omitempty"`
	More    bool        `json:"more,omitempty"`
	Entries []*v1.Entry `json:"entries"`
}

func (s *logSource) entries(ctx context.Context, query url.Values) (entriesPage, error) {
	var p entriesPage
	return p, s.get(ctx, "entries", query, &p)
}

// done closes a source behind an answer.
func (s *logSource) done(err error) error { return errors.Join(err, s.close()) }
