package policyfile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/teapot-tee/teapot/verify"
)

// Draft writes a policy from what runs now. Every line that a server could have lied about carries a comment that says
// where a person must check it; the file is strict, so leaving a wrong value in it fails and does not pass.
func Draft(url string, o verify.Observation, simulated bool, now time.Time) []byte {
	w := &writer{}
	w.say("# What I accept from %s. Written by `teapot policy init` on %s from what that server showed.", oneLine(url), now.UTC().Format("2006-01-02"))
	w.say("# The server chose these values. Check every line marked CHECK against a source that is not this server,")
	w.say("# then use it: teapot verify %s --policy THIS-FILE", oneLine(url))
	w.say("version = 1\n")
	w.platform(simulated)
	w.code(o)
	w.agents(o)
	w.custody(o)
	w.witnesses(o)
	w.unmeasured(o)
	return []byte(w.String())
}

type writer struct{ strings.Builder }

func (w *writer) say(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *writer) list(key string, values []string) {
	if len(values) == 0 {
		return
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	w.say("%s = [%s]", key, strings.Join(quoted, ", "))
}

// quote writes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (w *writer) platform(simulated bool) {
	w.say("# TCB statuses besides UpToDate that you accept: SWHardeningNeeded, ConfigurationNeeded, …, OutOfDate.")
	w.say("accept_status = []")
	w.say("# accept_advisories = [\"INTEL-SA-00615\"]   # when present: the only advisories that may be left open")
	w.say("grace_days = 0           # days an OutOfDate platform is still accepted")
	if simulated {
		w.say("# This server is a SIMULATOR: nothing below proves hardware. Remove the next line for anything real.")
		w.say(`simulated = "allow"`)
	}
}

func (w *writer) code(o verify.Observation) {
	c := o.Code
	w.say("\n[[code]]")
	w.say("name = %s", quote(c.Name))
	if len(c.AppCompose) > 0 {
		w.say("# CHECK: the app-compose file you reviewed must have this SHA-256 (images by digest, nothing else mounted).")
		w.say("# Or name the reviewed file instead: app_compose_file = \"app-compose.json\"")
		w.list("app_compose_sha256", c.AppCompose)
	}
	if len(c.MRTD) > 0 {
		w.say("# CHECK: the guest image. Compute these from the image you trust (dstack-mr, or the vendor's published values).")
		w.list("mrtd", c.MRTD)
		w.list("rtmr0", c.RTMR0)
		w.list("rtmr1", c.RTMR1)
		w.list("rtmr2", c.RTMR2)
	}
	if len(c.MREnclave) > 0 {
		w.say("# CHECK: build the enclave yourself (reproducible) and compare.")
		w.list("mrenclave", c.MREnclave)
		w.list("mrsigner", c.MRSigner)
		if c.ISVProdID != nil {
			w.say("isvprodid = %d", *c.ISVProdID)
		}
		if c.MinISVSVN > 0 {
			w.say("min_isvsvn = %d", c.MinISVSVN)
		}
	}
	w.say("# CHECK: what the agent was configured with and which plugins it loads; ask the operator for both files.")
	w.list("configuration_sha256", c.Configuration)
	w.list("plugins_sha256", c.Plugins)
}

func (w *writer) agents(o verify.Observation) {
	for _, a := range o.Agents {
		w.say("\n[[agent]]")
		w.say("id = %s", quote(a.ID))
		w.say("name = %s", quote(a.Name))
		w.say("# CHECK: origin and log key belong together; they change only if the log is lost.")
		w.say("origin = %s", quote(a.Origin))
		w.say("log_key = %s", quote(a.LogKey))
		w.say("# CHECK: SHA-256 of the character file you read.")
		w.list("character_sha256", a.Character)
		w.list("wallets", a.Wallets)
	}
}

func (w *writer) custody(o verify.Observation) {
	if len(o.Custody) == 0 && o.KMSRoot == "" {
		return
	}
	w.say("\n[custody]")
	if len(o.Custody) > 0 {
		w.say("# These can derive the agent's keys too. CHECK that you trust each of them, and then remove the # of the next line.")
		w.proposal("accept", o.Custody)
	}
	if o.KMSRoot != "" {
		w.say("# This key management service signed log key and wallets. CHECK it with who runs it (dstack: KMS.GetMeta, k256_pubkey), then remove the #.")
		w.proposal("kms_roots", []string{o.KMSRoot})
	}
}

// proposal is a line that counts only when a person has removed its #.
func (w *writer) proposal(name string, values []string) {
	line := &writer{}
	line.list(name, values)
	w.say("# %s", strings.TrimSuffix(line.String(), "\n"))
}

func (w *writer) witnesses(o verify.Observation) {
	if o.Witnesses.Quorum == 0 {
		w.say("\n# No witnesses: clones and rollbacks of the machine are not excluded. With witnesses:")
		w.say("# [witnesses]\n# quorum = 1\n# keys = [\"name+hash+key\"]")
		return
	}
	w.say("\n[witnesses]")
	w.say("# CHECK: witnesses you know, not only those the agent chose.")
	w.say("quorum = %s", strconv.Itoa(o.Witnesses.Quorum))
	w.list("keys", o.Witnesses.Keys)
}

func (w *writer) unmeasured(o verify.Observation) {
	if len(o.Unmeasured) == 0 {
		return
	}
	w.say("\n# The host could choose these; no measurement covers them. The verdict stays a warning because of them.")
	for _, u := range o.Unmeasured {
		w.say("#   %s: %s", oneLine(u.Name), oneLine(u.Detail))
	}
}

func oneLine(s string) string { return verify.Clean(s) }
