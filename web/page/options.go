package page

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/verify"
)

// Options of a question, as the page's JSON has them.
type Options struct {
	At             time.Time       `json:"at"`              // the reader's clock: pure code has none
	AllowSimulated bool            `json:"allow_simulated"` //
	Policy         string          `json:"policy"`          // TOML, as `teapot verify --policy` reads it; "": the default
	Target         string          `json:"target"`          // as the reader named it
	Agent          string          `json:"agent"`           // UUID
	Nonce          string          `json:"nonce"`           // hex, the page's own
	Channel        *Channel        `json:"channel"`         // the sealed channel of the session request; null: none
	Loopback       bool            `json:"loopback"`        //
	Secure         bool            `json:"secure"`          // https
	Seen           json.RawMessage `json:"seen"`            // array of verify.Seen that this browser remembers
	State          json.RawMessage `json:"state"`           // where Follow goes on
	From           uint64          `json:"from"`            // first entry that was asked for; 0: the whole log
	Message        *string         `json:"message"`         // Receipt: what the reader sent
	Reply          *string         `json:"reply"`           // Receipt: what stands on the reader's screen
}

// Channel is the reader's end of a sealed request.
type Channel struct {
	KeyID  uint64 `json:"hpke_key"`
	EncSum string `json:"hpke_enc"` // hex of SHA-256(encapsulated key)
}

// ParseOptions reads the options; unknown members are refused, so that a misspelt one is never a check that is silently off.
func ParseOptions(text []byte) (Options, error) {
	var o Options
	if err := strict(text, &o); err != nil {
		return o, fmt.Errorf("page: options: %w", err)
	}
	if o.At.IsZero() {
		return o, errors.New("page: options: no time to judge at")
	}
	return o, nil
}

func (o Options) policy() (verify.Policy, error) {
	p := verify.Policy{}
	if o.Policy != "" {
		var err error
		if p, err = parsePolicy(o.Policy); err != nil {
			return p, err
		}
	}
	if o.AllowSimulated {
		p.Simulated = "allow"
	}
	return p, nil
}

// input is what every question about a live agent shares.
func (o Options) input() (verify.Input, error) {
	in := verify.Input{Target: o.Target, Loopback: o.Loopback, Secure: o.Secure, Workers: 1}
	var err error
	if in.Nonce, err = hex.DecodeString(o.Nonce); err != nil {
		return in, fmt.Errorf("page: nonce: %w", err)
	}
	if o.Channel != nil {
		sum, err := hex.DecodeString(o.Channel.EncSum)
		if err != nil {
			return in, fmt.Errorf("page: channel: %w", err)
		}
		in.Channel = &evidence.Channel{Kind: evidence.ChannelHPKE, HPKEKeyID: o.Channel.KeyID, Enc: sum}
	}
	if len(o.Seen) > 0 {
		if err := json.Unmarshal(o.Seen, &in.Seen); err != nil {
			return in, fmt.Errorf("page: what this browser remembers: %w", err)
		}
	}
	return in, nil
}
