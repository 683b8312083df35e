package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// PolicyVersion is the only version of the policy format there is (docs/formats/policy.md).
const PolicyVersion = 1

// Policy says what the reader wants. The zero value is the strict default: Intel's root, UpToDate, nothing waived,
// and no reference values, which no evidence can meet. The fields are the manual; docs/policy.md says it at length.
type Policy struct {
	Version int `toml:"version" json:"version,omitempty"` // 1; 0 means 1

	// What `teapot quote verify --policy` reads too.
	AcceptStatus     []string `toml:"accept_status,omitempty" json:"accept_status,omitempty"` // TCB statuses besides UpToDate, Intel's spelling
	AcceptAdvisories []string `toml:"accept_advisories,omitempty" json:"accept_advisories"`   // when present: every advisory that may be left open
	GraceDays        int      `toml:"grace_days,omitempty" json:"grace_days,omitempty"`       // days after the TCB date in which OutOfDate is accepted
	Allow            []string `toml:"allow,omitempty" json:"allow,omitempty"`                 // debug, tud, migratable, service_td, reserved_attributes, xfam

	MinEvaluation uint64 `toml:"min_tcb_evaluation_data_number,omitempty" json:"min_tcb_evaluation_data_number,omitempty"` // of TCB info and QE identity

	Simulated string   `toml:"simulated,omitempty" json:"simulated,omitempty"` // "refuse" (default) or "allow"
	Waive     []string `toml:"waive,omitempty" json:"waive,omitempty"`         // ids of checks that may fail; see Waivable

	Code      []Code    `toml:"code,omitempty" json:"code,omitempty"`          // reference values, any of them
	Agents    []Agent   `toml:"agent,omitempty" json:"agent,omitempty"`        // the agents that must be there; empty = whatever is
	Custody   Custody   `toml:"custody,omitempty" json:"custody,omitzero"`     // who else may be able to derive keys
	Witnesses Witnesses `toml:"witnesses,omitempty" json:"witnesses,omitzero"` // who must have seen the checkpoint
	MaxAge    MaxAge    `toml:"max_age,omitempty" json:"max_age,omitzero"`     // how old things may be
	Lineage   Lineage   `toml:"lineage,omitempty" json:"lineage,omitzero"`     // what earlier starts may have been
	Erasures  string    `toml:"erasures,omitempty" json:"erasures,omitempty"`  // "report" (default) or "refuse": any erased entry fails
	Comment   string    `toml:"comment,omitempty" json:"comment,omitempty"`    // for people; never judged
}

// Code is one set of reference values, good for starts between From and Until. Every field that is set must match;
// a list matches when one of its values does. Hex, any case.
type Code struct {
	Name           string    `toml:"name" json:"name"`
	From           time.Time `toml:"from,omitempty" json:"from,omitzero"`
	Until          time.Time `toml:"until,omitempty" json:"until,omitzero"`
	AppCompose     []string  `toml:"app_compose_sha256,omitempty" json:"app_compose_sha256,omitempty"`
	AppComposeFile string    `toml:"app_compose_file,omitempty" json:"-"` // read by policyfile, becomes AppCompose
	AcceptByHash   bool      `toml:"accept_compose_by_hash,omitempty" json:"accept_compose_by_hash,omitempty"`
	AppID          []string  `toml:"app_id,omitempty" json:"app_id,omitempty"`
	OSImage        []string  `toml:"os_image_hash,omitempty" json:"os_image_hash,omitempty"`
	MRTD           []string  `toml:"mrtd,omitempty" json:"mrtd,omitempty"`
	RTMR0          []string  `toml:"rtmr0,omitempty" json:"rtmr0,omitempty"`
	RTMR1          []string  `toml:"rtmr1,omitempty" json:"rtmr1,omitempty"`
	RTMR2          []string  `toml:"rtmr2,omitempty" json:"rtmr2,omitempty"`
	RTMR3          []string  `toml:"rtmr3,omitempty" json:"rtmr3,omitempty"`
	MRConfigID     []string  `toml:"mr_config_id,omitempty" json:"mr_config_id,omitempty"`
	MROwner        []string  `toml:"mr_owner,omitempty" json:"mr_owner,omitempty"`
	MROwnerConfig  []string  `toml:"mr_owner_config,omitempty" json:"mr_owner_config,omitempty"`
	MRSeam         []string  `toml:"mr_seam,omitempty" json:"mr_seam,omitempty"`
	MREnclave      []string  `toml:"mrenclave,omitempty" json:"mrenclave,omitempty"`
	MRSigner       []string  `toml:"mrsigner,omitempty" json:"mrsigner,omitempty"`
	ISVProdID      *uint16   `toml:"isvprodid,omitempty" json:"isvprodid,omitempty"`
	MinISVSVN      uint16    `toml:"min_isvsvn,omitempty" json:"min_isvsvn,omitempty"`
	Configuration  []string  `toml:"configuration_sha256,omitempty" json:"configuration_sha256,omitempty"` // of the boot statement
	Plugins        []string  `toml:"plugins_sha256,omitempty" json:"plugins_sha256,omitempty"`             // of the boot statement
	Software       []string  `toml:"software,omitempty" json:"software,omitempty"`                         // of the boot statement; never enough alone
}

// Agent is what an agent must be. ID is needed; the rest is checked where set.
type Agent struct {
	ID        string   `toml:"id" json:"id"`
	Name      string   `toml:"name,omitempty" json:"name,omitempty"` // for people; never judged
	Origin    string   `toml:"origin,omitempty" json:"origin,omitempty"`
	LogKey    string   `toml:"log_key,omitempty" json:"log_key,omitempty"` // hex Ed25519
	Character []string `toml:"character_sha256,omitempty" json:"character_sha256,omitempty"`
	Wallets   []string `toml:"wallets,omitempty" json:"wallets,omitempty"` // addresses that must be the agent's
}

// Custody lists who else may be able to derive the keys beside "this-start" and "mrenclave", which are always fine.
// A "kms:…" value must be given whole: it is the pin.
type Custody struct {
	Accept []string `toml:"accept,omitempty" json:"accept,omitempty"`
	// KMSRoots are the secp256k1 roots (compressed, hex) of key management services, one of which must have signed the derived keys.
	KMSRoots []string `toml:"kms_roots,omitempty" json:"kms_roots,omitempty"`
}

// Witnesses is a quorum in words of c2sp.org/tlog-policy. Policy "none" says that no witness is wanted; then witnesses and
// rollback read "not checked" and the verdict says that clones and rollbacks are not excluded.
type Witnesses struct {
	Quorum  int      `toml:"quorum,omitempty" json:"quorum,omitempty"`
	Keys    []string `toml:"keys,omitempty" json:"keys,omitempty"`       // vkeys: name+hash+base64, type 0x04
	Require bool     `toml:"require,omitempty" json:"require,omitempty"` // true: a server without witnesses is not accepted
}

// MaxAge in hours; 0 means no bound.
type MaxAge struct {
	Evidence   int `toml:"evidence_hours,omitempty" json:"evidence_hours,omitempty"`     // since the current start's boot statement
	Checkpoint int `toml:"checkpoint_hours,omitempty" json:"checkpoint_hours,omitempty"` // since the newest cosignature
	File       int `toml:"file_hours,omitempty" json:"file_hours,omitempty"`             // since a file's session statement
}

// Lineage says what earlier starts may have been.
type Lineage struct {
	AcceptWeaker         bool `toml:"accept_weaker,omitempty" json:"accept_weaker,omitempty"`                   // a start with a weaker policy than its predecessor's
	AcceptMissingHistory bool `toml:"accept_missing_history,omitempty" json:"accept_missing_history,omitempty"` // a log number above 0 without its predecessor
}

// Waivable lists the checks a policy may waive by name, with what the reader then believes without proof.
// Nothing that would let a forgery through is here.
var waivable = map[string]string{
	"measurements.unmeasured":  "that nothing the host chose weakens what was measured",
	"session.channel":          "that nobody ends your TLS connection before the agent",
	"freshness.nonce":          "that the evidence was made now",
	"measurements.code":        "that the code is the code you expect",
	"measurements.unexplained": "what extended the registers that the firmware's log does not explain",
	"measurements.compose":     "that the compose file keeps other containers away from the platform's sockets",
	"custody.keys":             "that the keys exist only in the TEE",
	"custody.storage":          "that stored data can be read only in the TEE",
	"lineage.history":          "that there is no older history",
	"witnesses.quorum":         "that others saw the same log",
	"rollback.memory":          "that the log is the one this machine saw before",
	"rollback.witnessed":       "that the machine is no clone and its disk no old copy",
	"entries.complete":         "that nothing was left out",
}

// Waivable returns the ids a policy may waive, sorted, each with what is then believed without proof.
func Waivable() (ids []string, meaning func(id string) string) {
	for id := range waivable {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, func(id string) string { return waivable[id] }
}

var (
	statuses = []string{
		"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
		"OutOfDate", "OutOfDateConfigurationNeeded", "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded",
	}
	allowances = []string{"debug", "tud", "migratable", "service_td", "reserved_attributes", "xfam"}
)

// ParsePolicyJSON reads the JSON form of a policy, strictly. Empty input is the zero policy.
func ParsePolicyJSON(text []byte) (Policy, error) {
	var p Policy
	if len(bytes.TrimSpace(text)) == 0 {
		return p, nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Policy{}, errors.New("policy: text after the JSON object")
	}
	return p, p.Validate()
}

// pinsCode says whether the set names code at all, and not only hardware or configuration.
func (c Code) pinsCode() bool {
	return len(c.AppCompose)+len(c.RTMR3)+len(c.MRTD)+len(c.MREnclave)+len(c.MRSigner) > 0
}

type reference struct {
	name string
	size int // bytes
	want []string
}

// values lists the reference values in fixed order, the order they are reported in.
func (c Code) values() []reference {
	return []reference{
		{"app_compose_sha256", 32, c.AppCompose},
		{"app_id", 20, c.AppID},
		{"os_image_hash", 32, c.OSImage},
		{"mrtd", 48, c.MRTD},
		{"rtmr0", 48, c.RTMR0},
		{"rtmr1", 48, c.RTMR1},
		{"rtmr2", 48, c.RTMR2},
		{"rtmr3", 48, c.RTMR3},
		{"mr_config_id", 48, c.MRConfigID},
		{"mr_owner", 48, c.MROwner},
		{"mr_owner_config", 48, c.MROwnerConfig},
		{"mr_seam", 48, c.MRSeam},
		{"mrenclave", 32, c.MREnclave},
		{"mrsigner", 32, c.MRSigner},
		{"configuration_sha256", 32, c.Configuration},
		{"plugins_sha256", 32, c.Plugins},
	}
}

func (p Policy) waives(id string) bool { return slices.Contains(p.Waive, id) }

func (p Policy) allowSimulated() bool { return p.Simulated == "allow" }

// Reference is one reference value of a Code: its name in the file and what it may be.
type Reference struct {
	Name string
	Want []string
}

// Reference lists the reference values that are set, in the order in which they are reported.
func (c Code) Reference() (out []Reference) {
	for _, v := range c.values() {
		if len(v.want) > 0 {
			out = append(out, Reference{v.name, v.want})
		}
	}
	if c.ISVProdID != nil {
		out = append(out, Reference{"isvprodid", []string{fmt.Sprint(*c.ISVProdID)}})
	}
	if c.MinISVSVN > 0 {
		out = append(out, Reference{"min_isvsvn", []string{fmt.Sprint(c.MinISVSVN)}})
	}
	if len(c.Software) > 0 {
		out = append(out, Reference{"software", c.Software})
	}
	return out
}
