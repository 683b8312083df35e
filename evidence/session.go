package evidence

import (
	"fmt"
)

// Types of the statements made on request.
const (
	SessionType = "teapot/session/v1"
	ExtractType = "teapot/extract/v1"
)

// Session is a fresh statement for one caller: it ties the boot statement in force to the caller's nonce and channel.
type Session struct {
	Type        string   `json:"type"`        // SessionType; Marshal sets it
	Boot        Digest   `json:"boot"`        // SHA-256 of the newest boot statement
	Nonce       Bytes    `json:"nonce"`       // the caller's, 16 to 64 bytes
	Channel     Channel  `json:"channel"`     //
	Checkpoints []string `json:"checkpoints"` // latest signed checkpoint (note) of each agent's log, sorted
	Time        uint64   `json:"time"`        // host's clock, milliseconds since 1970
}

// Channel kinds.
const (
	ChannelNone = "none" // bound to no channel
	ChannelTLS  = "tls"
	ChannelHPKE = "hpke"
)

// Channel is what the session is bound to. Members of another kind are empty.
type Channel struct {
	Kind      string `json:"kind"`     // ChannelNone, ChannelTLS, ChannelHPKE
	Exporter  Bytes  `json:"exporter"` // tls: exported keying material (RFC 8446 §7.5), 32 bytes
	Leaf      Bytes  `json:"leaf"`     // tls: SHA-256 of the server's leaf certificate (DER), 32 bytes
	HPKEKeyID uint64 `json:"hpke_key"` // hpke: HPKEKey.ID
	Enc       Bytes  `json:"hpke_enc"` // hpke: SHA-256 of the encapsulated key, 32 bytes
}

// ParseSession reads the exact bytes of a session statement.
func ParseSession(raw []byte) (*Session, error) {
	s := new(Session)
	if err := decode(raw, SessionType, s); err != nil {
		return nil, err
	}
	return s, nil
}

// Marshal returns the exact bytes. It sets Type.
func (s Session) Marshal() ([]byte, error) {
	s.Type = SessionType
	s.Checkpoints = list(s.Checkpoints)
	return marshal(SessionType, s)
}

func (s Session) check() error {
	if s.Type != SessionType {
		return fmt.Errorf("type %q, want %q", s.Type, SessionType)
	}
	if err := checkNonce(s.Nonce); err != nil {
		return err
	}
	if !sortedText(s.Checkpoints) {
		return fmt.Errorf("checkpoints not sorted, or one twice")
	}
	if s.Time > maxSafe {
		return fmt.Errorf("time too large")
	}
	return s.Channel.check()
}

func (c Channel) check() error {
	tls, hpke := 0, 0
	switch c.Kind {
	case ChannelNone:
	case ChannelTLS:
		tls = 32
	case ChannelHPKE:
		hpke = 32
	default:
		return fmt.Errorf("unknown channel %q", c.Kind)
	}
	if len(c.Exporter) != tls || len(c.Leaf) != tls || len(c.Enc) != hpke {
		return fmt.Errorf("channel %s: wrong length of exporter, leaf or hpke_enc", c.Kind)
	}
	if c.HPKEKeyID > 255 || c.HPKEKeyID != 0 && hpke == 0 {
		return fmt.Errorf("channel %s: hpke_key %d", c.Kind, c.HPKEKeyID)
	}
	return nil
}

func checkNonce(n []byte) error {
	if len(n) < 16 || len(n) > 64 {
		return fmt.Errorf("nonce of %d bytes, want 16 to 64", len(n))
	}
	return nil
}

// Extract is a fresh statement over the answer to one query of the log.
type Extract struct {
	Type       string `json:"type"`       // ExtractType; Marshal sets it
	Boot       Digest `json:"boot"`       // SHA-256 of the newest boot statement
	Nonce      Bytes  `json:"nonce"`      // the caller's, 16 to 64 bytes
	Query      string `json:"query"`      // as it was answered
	Result     Digest `json:"result"`     // SHA-256 of the exact result bytes
	Checkpoint string `json:"checkpoint"` // signed checkpoint (note) the answer was made at
	Time       uint64 `json:"time"`       // host's clock, milliseconds since 1970
}

// ParseExtract reads the exact bytes of an extract statement.
func ParseExtract(raw []byte) (*Extract, error) {
	e := new(Extract)
	if err := decode(raw, ExtractType, e); err != nil {
		return nil, err
	}
	return e, nil
}

// Marshal returns the exact bytes. It sets Type.
func (e Extract) Marshal() ([]byte, error) {
	e.Type = ExtractType
	return marshal(ExtractType, e)
}

func (e Extract) check() error {
	if e.Type != ExtractType {
		return fmt.Errorf("type %q, want %q", e.Type, ExtractType)
	}
	if err := checkNonce(e.Nonce); err != nil {
		return err
	}
	if e.Checkpoint == "" || e.Time > maxSafe {
		return fmt.Errorf("checkpoint missing or time too large")
	}
	return nil
}
