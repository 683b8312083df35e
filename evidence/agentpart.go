package evidence

import (
	"fmt"
	"strings"
)

// AgentPartType is the type of an agent part.
const AgentPartType = "teapot/agent/v1"

// Unknown stands for the origin and checkpoint of an earlier log that this start could not see.
const Unknown = "unknown"

// AgentPart is the part of a boot statement about one agent; the statement lists its SHA-256.
type AgentPart struct {
	Type      string       `json:"type"`      // AgentPartType; Marshal sets it
	Agent     string       `json:"agent"`     // UUID, lower case
	Name      string       `json:"name"`      //
	Character Digest       `json:"character"` // of the exact character bytes, without secrets
	Log       LogIdentity  `json:"log"`       //
	AgentKey  PublicKey    `json:"agent_key"` // fresh at each start; signs this start's entries
	Wallets   []Wallet     `json:"wallets"`   // sorted by chain, address
	Found     Found        `json:"found"`     // the log as this start found it
	Earlier   []EarlierLog `json:"earlier"`   // one for each lower log number, in order
}

// LogIdentity names the agent's log. Origin is teapot/<agent>/<hex of SHA-256(Key)[0:16]>.
type LogIdentity struct {
	Number uint64    `json:"number"`
	Origin string    `json:"origin"`
	Key    PublicKey `json:"key"`
}

// Wallet is an address the agent can sign for.
type Wallet struct {
	Chain      string `json:"chain"`      // "solana", "evm"
	Address    string `json:"address"`    //
	Derivation string `json:"derivation"` // "teapot/wallet/v1", "eliza/0.1.7", "eliza/0.1.9"
	Shared     bool   `json:"shared"`     // other processes of this guest can have the key too
}

// Found is the log as a start found it: what the boot leaf must continue.
type Found struct {
	BootNumber uint64 `json:"boot_number"` // number of this start in this log, from 0
	Size       uint64 `json:"size"`        // entries before this start
	Root       Digest `json:"root"`        // root of the tree of that size
	LastTime   uint64 `json:"last_time"`   // time of the last entry, microseconds since 1970; 0 when there is none
}

// EarlierLog is an earlier log of the agent, given up for a new one.
type EarlierLog struct {
	Origin     string `json:"origin"`     // or Unknown
	Checkpoint string `json:"checkpoint"` // its last signed checkpoint (a note), or Unknown
}

// ParseAgentPart reads the exact bytes of an agent part.
func ParseAgentPart(raw []byte) (*AgentPart, error) {
	p := new(AgentPart)
	if err := decode(raw, AgentPartType, p); err != nil {
		return nil, err
	}
	return p, nil
}

// Marshal returns the exact bytes. It sets Type.
func (p AgentPart) Marshal() ([]byte, error) {
	p.Type = AgentPartType
	p.Wallets, p.Earlier = list(p.Wallets), list(p.Earlier)
	return marshal(AgentPartType, p)
}

func (p AgentPart) check() error {
	if p.Type != AgentPartType {
		return fmt.Errorf("type %q, want %q", p.Type, AgentPartType)
	}
	if !validUUID(p.Agent) {
		return fmt.Errorf("agent %q is not a lower-case UUID", p.Agent)
	}
	if want := Origin(p.Agent, p.Log.Key); p.Log.Origin != want {
		return fmt.Errorf("log origin %q, want %q", p.Log.Origin, want)
	}
	if p.Found.Size > maxSafe || p.Found.BootNumber > maxSafe || p.Found.LastTime > maxSafe || p.Log.Number > maxSafe {
		return fmt.Errorf("number too large")
	}
	if uint64(len(p.Earlier)) != p.Log.Number {
		return fmt.Errorf("log number %d with %d earlier logs", p.Log.Number, len(p.Earlier))
	}
	return p.checkLists()
}

func (p AgentPart) checkLists() error {
	for i, e := range p.Earlier {
		if e.Origin == "" || e.Checkpoint == "" || (e.Origin == Unknown) != (e.Checkpoint == Unknown) {
			return fmt.Errorf("earlier log %d: origin and checkpoint must both be given or both be %q", i, Unknown)
		}
	}
	if !strictlySorted(p.Wallets, func(w Wallet) string { return w.Chain + "\x00" + w.Address }) {
		return fmt.Errorf("wallets not sorted by chain and address, or one twice")
	}
	for _, w := range p.Wallets {
		if w.Chain == "" || w.Address == "" || w.Derivation == "" {
			return fmt.Errorf("wallet without chain, address or derivation")
		}
	}
	return nil
}

// Origin is the name of an agent's log: teapot/<agent UUID>/<hex of SHA-256(log public key)[0:16]>.
func Origin(agent string, logKey PublicKey) string {
	return "teapot/" + agent + "/" + Sum(logKey[:]).String()[:32]
}

func validUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	return lowerHex(strings.ReplaceAll(s, "-", ""), 32)
}
