package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// lie changes what the real server answered to a path.
type lie func(path string, body []byte) []byte

// lies plays a host that stands between reader and agent and answers something else.
func (s *stage) lies() {
	s.title("The host lies through a proxy")
	bundle := s.fetchBundle()
	s.expect("one byte of the log edited", s.through(editBundle), 1, "FAIL")
	s.say("This entry is the one that will be hidden.")
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
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, s.url()+r.URL.RequestURI(), r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		req.Header = r.Header.Clone()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		body := l(r.URL.Path, readAll(resp.Body))
		for name, values := range resp.Header {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, bytes.NewReader(body)) // the reader may have seen enough
	}))
	defer proxy.Close()
	return s.verify(proxy.URL, "--allow-simulated")
}

// editBundle flips one bit inside the last entry and computes the file's checksum anew, as a liar who can read would.
func editBundle(path string, body []byte) []byte {
	const end = 1 + 4 + sha256.Size // kind, length and checksum of the end record
	if !strings.HasSuffix(path, "/bundle") || len(body) < end+200 {
		return body
	}
	content := body[:len(body)-end]
	content[len(content)-100] ^= 1
	sum := sha256.Sum256(content)
	copy(body[len(body)-sha256.Size:], sum[:])
	return body
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
