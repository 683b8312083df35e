package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/teapot-tee/teapot/internal/between"
)

// lie changes what the real server answered to a path.
type lie func(path string, body []byte) []byte

// lies plays a host that stands between reader and agent and answers something else.
func (s *stage) lies() {
	s.title("The host lies through a proxy")
	bundle := s.fetchBundle()
	s.say("This entry is the one that will be edited, then hidden.")
	s.expect("one bit of that entry edited", s.through(editBundle), 1, "entries.signed")
	s.expect("the log as it was before the last message (shortened)", s.through(func(path string, body []byte) []byte {
		if strings.HasSuffix(path, "/bundle") {
			return bundle
		}
		return body
	}), 1, "FAIL")
	s.expect("the quote's report data swapped", s.through(swapReportData), 1, "FAIL")
}

func (s *stage) fetchBundle() []byte {
	resp, err := http.Get(s.url() + "/v1/agents/" + s.agent() + "/bundle")
	if err != nil {
		s.fatal(err)
	}
	defer resp.Body.Close()
	return readAll(resp.Body)
}

// through verifies over a proxy that tells the lie.
func (s *stage) through(l lie) look {
	target := &url.URL{Scheme: "http", Host: s.addr}
	proxy := httptest.NewServer(between.Proxy(func() *url.URL { return target }, func(resp *http.Response) error {
		between.Replace(resp, l(resp.Request.URL.Path, between.Answered(resp)))
		return nil
	}))
	defer proxy.Close()
	return s.verify(proxy.URL, "--allow-simulated")
}

// editBundle flips one bit of the last entry and writes the bundle anew, checksum and all, as a liar who can read would.
func editBundle(path string, body []byte) []byte {
	if !strings.HasSuffix(path, "/bundle") {
		return body
	}
	changed, err := between.Rewritten(body, func(last bool, leaf, _ []byte) {
		if last {
			leaf[len(leaf)-1] ^= 1
		}
	})
	if err != nil {
		return body // the step that follows says that nothing was caught
	}
	return changed
}

// swapReportData overwrites the report data of every quote with another statement's.
func swapReportData(path string, body []byte) []byte {
	if !strings.HasPrefix(path, "/v1/session") {
		return body
	}
	var doc map[string]json.RawMessage
	var quote []byte
	if json.Unmarshal(body, &doc) != nil || json.Unmarshal(doc["quote"], &quote) != nil || len(quote) < 632 {
		return body
	}
	for i := 568; i < 632; i++ {
		quote[i] ^= 0xff
	}
	changed, err := json.Marshal(quote)
	if err != nil {
		return body
	}
	return bytes.Replace(body, doc["quote"], changed, 1)
}
