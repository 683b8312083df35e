package ratls

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/evidence"
)

// SealedTransport seals request bodies to an HPKE key of an accepted boot statement and opens the answers. With the
// MLKEM768X25519 key it speaks Teapot's own suite, with the X25519 key plain EHBP.
type SealedTransport struct {
	Key  evidence.HPKEKey
	Base http.RoundTripper // nil means http.DefaultTransport
	// Sealed is told the encapsulated key of each request, which a session statement names; nil tells nobody.
	Sealed func(enc []byte)
}

// ErrNoBody is a request that cannot be sealed: EHBP seals bodies, and sending it open would surprise its sender.
var ErrNoBody = errors.New("ratls: a request without a body cannot be sealed: use POST with a body")

// RoundTrip implements http.RoundTripper. The body is read whole. An answer that is not sealed is an error, except a
// refusal (status 4xx or 5xx as a problem), which is handed on with the header Ehbp-Response-Nonce absent.
func (t *SealedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, ErrNoBody
	}
	plain, err := io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	if len(plain) == 0 {
		return nil, ErrNoBody
	}
	sealed, enc, s, err := t.seal(r, plain)
	if err != nil {
		return nil, err
	}
	if t.Sealed != nil {
		t.Sealed(enc)
	}
	resp, err := t.base().RoundTrip(outgoing(r, sealed, enc))
	if err != nil {
		return nil, err
	}
	return openResponse(resp, s, enc)
}

func (t *SealedTransport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

func (t *SealedTransport) seal(r *http.Request, plain []byte) (body, enc []byte, s *hpke.Sender, err error) {
	own := t.Key.KEM == kemMLKEM
	info := infoEHBP
	if own {
		info = ownInfo + r.Method + " " + r.URL.RequestURI()
		plain = append(envelope(time.Now()), plain...)
	}
	if enc, s, err = sender(t.Key, info); err != nil {
		return nil, nil, nil, err
	}
	chunks := [][]byte{plain}
	if own {
		chunks = append(chunks, nil)
	}
	for _, c := range chunks {
		sealed, err := s.Seal(nil, c)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("sealing the body: %w", err)
		}
		body = appendChunk(body, sealed)
	}
	return body, enc, s, nil
}

func envelope(now time.Time) []byte {
	b := make([]byte, 16, envelopeSize)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return binary.BigEndian.AppendUint64(b, uint64(now.UnixMilli()))
}

func outgoing(r *http.Request, sealed, enc []byte) *http.Request {
	out := r.Clone(r.Context())
	out.Header.Set(HeaderEncapsulated, hex.EncodeToString(enc))
	out.Body = io.NopCloser(bytes.NewReader(sealed))
	out.ContentLength = int64(len(sealed))
	out.GetBody = nil // a sealed body is sent once: a second time it would be a repeat
	return out
}

func openResponse(resp *http.Response, s *hpke.Sender, enc []byte) (*http.Response, error) {
	given := resp.Header.Get(HeaderResponseNonce)
	if given == "" && resp.StatusCode >= 400 {
		return resp, nil
	}
	nonce, err := hex.DecodeString(given)
	if err != nil || len(nonce) != respNonce {
		return nil, errors.Join(errors.New("ratls: the answer is not sealed: somebody between you and the agent made it"), resp.Body.Close())
	}
	exported, err := s.Export(exportTag, 32)
	if err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	key, err := newResponseKey(exported, enc, nonce)
	if err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{&chunkReader{r: resp.Body, open: key.open, mustEnd: true}, resp.Body}
	resp.ContentLength = -1
	resp.Header.Del("Content-Length")
	return resp, nil
}

// SealedChannelOf is the channel a client expects in a session statement made over a sealed request with this header.
func SealedChannelOf(key evidence.HPKEKey, enc []byte) evidence.Channel {
	return sealedChannel(key.ID, enc)
}
