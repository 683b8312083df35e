package ratls

import (
	"context"
	"crypto/hpke"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/evidence"
)

// Header and media type names of EHBP 0.1.
const (
	HeaderEncapsulated  = "Ehbp-Encapsulated-Key"
	HeaderResponseNonce = "Ehbp-Response-Nonce"
	KeysPath            = "/.well-known/hpke-keys"
	keysType            = "application/ohttp-keys"
	keyProblem          = "urn:ietf:params:ehbp:error:key-config"
)

// ownInfo begins the HPKE info of Teapot's own suite; method, space and request target follow, so that a sealed body
// cannot be sent to another route.
const ownInfo = "teapot sealed request v1\n"

// envelopeSize of the first sealed chunk of the own suite: 16 bytes client nonce, u64 big endian milliseconds since 1970.
const envelopeSize = 24

// Sealer opens sealed request bodies and seals the answers. Safe for concurrent use.
type Sealer struct {
	keys *SealKeys
	ehbp replays
	own  replays
	now  func() time.Time

	large chan struct{}
}

// NewSealer makes a Sealer for the keys that the boot statement names.
func NewSealer(keys *SealKeys) *Sealer {
	return &Sealer{keys: keys, ehbp: replays{limit: replayLimit}, own: replays{limit: replayLimit, window: replayWindow}, now: time.Now, large: make(chan struct{}, largeChunks)}
}

// KeysHandler answers GET /.well-known/hpke-keys. The client must compare the key with the boot statement's.
func (s *Sealer) KeysHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", keysType)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(s.keys.Config()) // the caller went away: nobody to tell
	})
}

// Middleware opens requests with the header Ehbp-Encapsulated-Key and seals their answers; others pass unchanged.
// Method, target, headers and status are not protected by EHBP; the own suite protects method and target.
func (s *Sealer) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Values(HeaderEncapsulated)
		if len(given) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		opened, err := s.open(r, given)
		if err != nil {
			refuseSealed(w, err)
			return
		}
		sealed := &sealedWriter{ResponseWriter: w, request: opened}
		next.ServeHTTP(sealed, opened.request)
		sealed.finish()
	})
}

// sealError is why a sealed request was refused.
type sealError struct {
	status int
	kind   string
	cause  string
	next   string
}

func (e *sealError) Error() string { return e.cause }

func badSeal(cause string) error {
	return &sealError{http.StatusBadRequest, "about:blank", cause, "seal the body as EHBP 0.1 says"}
}

func wrongKey(cause string) error {
	return &sealError{http.StatusUnprocessableEntity, keyProblem, cause, "fetch the newest boot statement, verify it, and seal to its HPKE key"}
}

func refuseSealed(w http.ResponseWriter, err error) {
	var e *sealError
	if !errors.As(err, &e) {
		e = &sealError{http.StatusBadRequest, "about:blank", err.Error(), "send the request again"}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the caller went away: nobody to tell
		"type": e.kind, "status": e.status, "title": "the sealed request was refused", "detail": e.cause, "cause": e.cause, "next": e.next,
	})
}

// opened is a request whose first chunk opened under one of our keys.
type opened struct {
	request   *http.Request
	recipient *hpke.Recipient
	enc       []byte
}

func (s *Sealer) open(r *http.Request, given []string) (*opened, error) {
	if len(given) != 1 {
		return nil, badSeal("more than one " + HeaderEncapsulated)
	}
	enc, err := hex.DecodeString(given[0])
	if err != nil {
		return nil, badSeal(HeaderEncapsulated + " is not hex")
	}
	info := infoEHBP
	if len(enc) == encMLKEM {
		info = ownInfo + r.Method + " " + r.RequestURI
	}
	id, recipient, err := s.keys.recipient(enc, info)
	if err != nil {
		return nil, wrongKey(err.Error())
	}
	body := &chunkReader{r: r.Body, large: s.large, gone: r.Context().Done(), open: func(c []byte) ([]byte, error) { return recipient.Open(nil, c) }}
	if err := body.next(); err != nil { // here, so that a wrong key is answered before the handler runs
		return nil, wrongKey("the body does not open under this agent's key: " + err.Error())
	}
	if err := s.admit(id, enc, body); err != nil {
		return nil, err
	}
	return &opened{sealedRequest(r, body, id, enc), recipient, enc}, nil
}

// admit refuses repeats, and for the own suite a body without a fresh envelope.
func (s *Sealer) admit(id uint64, enc []byte, body *chunkReader) error {
	memory := &s.ehbp
	if id == KeyMLKEM {
		memory = &s.own
		if len(body.rest) < envelopeSize {
			return badSeal("the first chunk has no envelope (16 bytes nonce, 8 bytes time)")
		}
		sent := time.UnixMilli(int64(binary.BigEndian.Uint64(body.rest[16:24])))
		if off := s.now().Sub(sent); off > replayWindow || off < -replayWindow {
			return &sealError{http.StatusConflict, "about:blank", "the request was sealed more than five minutes ago, or ahead of this clock", "set your clock and send it again"}
		}
		body.rest = body.rest[envelopeSize:]
		body.mustEnd = true
	}
	if !memory.use(enc, s.now()) {
		return &sealError{http.StatusConflict, "about:blank", "this sealed request was seen before", "seal it again: each request needs a fresh encapsulated key"}
	}
	return nil
}

type sealedKey struct{}

// SealedChannel is the channel of a request whose body was sealed to this start's HPKE key.
func SealedChannel(ctx context.Context) (evidence.Channel, bool) {
	c, ok := ctx.Value(sealedKey{}).(evidence.Channel)
	return c, ok
}

func sealedRequest(r *http.Request, body io.Reader, id uint64, enc []byte) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), sealedKey{}, sealedChannel(id, enc)))
	r.Header = r.Header.Clone()
	r.Header.Del(HeaderEncapsulated)
	r.Header.Del("Content-Length")
	r.ContentLength = -1
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	return r
}

// sealedWriter seals what a handler writes. Every answer ends with a sealed empty chunk, so that our own client notices a
// cut; EHBP's client hands on an empty piece.
type sealedWriter struct {
	http.ResponseWriter
	request *opened
	key     *responseKey
	err     error
}

// Unwrap lets http.ResponseController reach the connection.
func (w *sealedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *sealedWriter) WriteHeader(status int) {
	if status >= 200 && w.key == nil && w.err == nil {
		w.start()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *sealedWriter) start() {
	nonce := make([]byte, respNonce)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	exported, err := w.request.recipient.Export(exportTag, 32)
	if err == nil {
		w.key, err = newResponseKey(exported, w.request.enc, nonce)
	}
	w.err = err
	h := w.Header()
	h.Del("Content-Length")
	h.Set(HeaderResponseNonce, hex.EncodeToString(nonce))
	h.Add("Access-Control-Expose-Headers", HeaderResponseNonce)
	h.Set("Cache-Control", "no-store")
}

func (w *sealedWriter) Write(p []byte) (int, error) {
	if w.key == nil && w.err == nil {
		w.start()
	}
	for n := 0; n < len(p) && w.err == nil; n += sealChunk {
		w.chunk(p[n:min(n+sealChunk, len(p))])
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

func (w *sealedWriter) chunk(plain []byte) {
	_, w.err = w.ResponseWriter.Write(appendChunk(nil, w.key.seal(plain)))
}

// Flush sends what was written.
func (w *sealedWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // a writer that cannot flush has nothing to send early
}

func (w *sealedWriter) finish() {
	if w.key == nil && w.err == nil {
		w.start()
	}
	if w.err == nil {
		w.chunk(nil)
	}
}
