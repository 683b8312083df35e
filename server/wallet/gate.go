package wallet

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/wallets"
	"github.com/teapot-tee/teapot/server/problem"
	"github.com/teapot-tee/teapot/tlog"
)

// Log is where intents and results go; Append returns when they are durable and provable.
type Log interface {
	Append(ctx context.Context, e ...actionlog.Entry) ([]actionlog.Proof, error)
}

// IntentName is the action of every intent and result of this gate.
const IntentName = "WALLET_SIGN_MESSAGE"

// RefusedError says why a message is not signed.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

// intent and result are the contents of the log's entries. The message is named by its hash: intents cannot be erased.
type intent struct {
	Action string       `json:"action"`
	Detail intentDetail `json:"detail"`
}

type intentDetail struct {
	Chain   string          `json:"chain"`
	Address string          `json:"address"`
	Message evidence.Digest `json:"message_sha256"`
	Bytes   int             `json:"message_bytes"`
}

type result struct {
	Action string `json:"action"`
	OK     bool   `json:"ok"`
	Error  string `json:"error,omitempty"`
}

// Sign is the gate: the intent is durable before the rules are asked and before anything is signed, and the signature leaves
// only after its result is durable.
func (o Owner) Sign(ctx context.Context, q Request) (Signature, error) {
	w, err := o.find(q.Chain)
	if err != nil {
		return Signature{}, err
	}
	if len(q.Message) > maxMessage {
		return Signature{}, &RefusedError{fmt.Sprintf("a message of %d bytes, at most %d", len(q.Message), maxMessage)}
	}
	begun, err := o.record(ctx, tlog.TypeIntent, intent{IntentName, intentDetail{w.Chain, w.Address, evidence.Sum([]byte(q.Message)), len(q.Message)}}, nil)
	if err != nil {
		return Signature{}, fmt.Errorf("the intent could not be recorded, nothing was signed: %w", err)
	}
	refusal := Textual(q.Message)
	outcome := result{Action: IntentName, OK: refusal == nil}
	s := Signature{Chain: w.Chain, Address: w.Address, Scheme: scheme(w), Intent: begun}
	if refusal != nil {
		outcome.Error = refusal.Error()
	} else {
		s.Signature = "0x" + hex.EncodeToString(w.SignMessage([]byte(q.Message)))
	}
	if s.Result, err = o.record(ctx, tlog.TypeResult, outcome, []uint64{begun}); err != nil {
		return Signature{}, fmt.Errorf("the result could not be recorded, the signature stays here: %w", err)
	}
	return s, refusal
}

func (o Owner) find(chain string) (*wallets.Wallet, error) {
	for _, w := range o.Wallets {
		if w.Chain == chain {
			return w, nil
		}
	}
	return nil, &RefusedError{fmt.Sprintf("the agent has no wallet on %.40q", chain)}
}

func (o Owner) record(ctx context.Context, typ string, content any, cause []uint64) (uint64, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return 0, err
	}
	proofs, err := o.Log.Append(ctx, actionlog.Entry{
		Type: typ, Source: tlog.SourceGateway, MediaType: "application/json", Content: raw, Cause: cause, Visibility: actionlog.VisibilityPublic,
	})
	if err != nil {
		return 0, err
	}
	return proofs[0].Index, nil
}

// Textual refuses what is not text for people. A Solana transaction begins with its number of signatures (legacy) or with a
// byte from 0x80 (versioned); text begins with 0x20 or more, and 32 signatures do not fit in a transaction of 1,232 bytes,
// so no text is a transaction. EVM messages have EIP-191's prefix, which no transaction has.
func Textual(message string) error {
	switch {
	case message == "":
		return &RefusedError{"an empty message"}
	case !utf8.ValidString(message):
		return &RefusedError{"the message is not UTF-8 text: bytes could be a transaction"}
	case message[0] < 0x20:
		return &RefusedError{"the message begins with a control character: it could be a transaction"}
	case strings.ContainsFunc(message, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }):
		return &RefusedError{"the message holds control characters: only text is signed"}
	}
	return nil
}

func scheme(w *wallets.Wallet) string {
	if w.EVM != nil {
		return "eip191"
	}
	return "ed25519"
}

func refuse(w http.ResponseWriter, err error) {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		problem.Write(w, http.StatusUnprocessableEntity, "not signed", refused.Why, "sign text for people; transfers go through the agent and its spending policy")
		return
	}
	problem.Write(w, http.StatusServiceUnavailable, "not signed", err.Error(), "the log must be writable: see the operator's log of this process")
}
