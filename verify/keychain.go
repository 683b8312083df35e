package verify

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
)

// keyChain checks the platform's signatures over the derived keys (dstack GetKey): the app's root signed each key, and the key
// management service's root signed the app's root. Recovering always ends at some root, so a chain proves something only
// under a root that the reader pins; what contradicts itself fails without.
func (a *appraiser) keyChain(s *start) {
	c := appraisal.Check{ID: "custody.chain", Source: "the platform's signatures over the derived keys"}
	pins := lowered(a.policy.Custody.KMSRoots)
	if len(pins) > 0 {
		c.Want, c.Source = strings.Join(pins, " or "), "your policy, custody.kms_roots"
	} else {
		a.mayMiss = append(a.mayMiss, c.ID)
	}
	chains, err := followChains(s)
	root, signed := chains.root, fmt.Sprintf("signed all %d derived keys", chains.judged)
	if chains.older {
		signed = fmt.Sprintf("signed the %d derived keys that dstack before 0.5.7 signs (secp256k1); log keys come from the same root, which the measured system says and no signature", chains.judged)
	}
	c.Got = root
	switch {
	case errors.Is(err, errNoApp):
		c.Detail = "the platform's signatures over the derived keys are for an app, and no measured log names it"
	case err != nil:
		c.Outcome, c.Fault, c.Detail = appraisal.Failed, "host", "the platform's signatures over the derived keys contradict themselves: "+err.Error()
		c.Remedy = "the evidence was edited or put together from several: ask for it again; do not rely on these keys"
	case root == "":
		c.Detail = "the evidence brings no signatures of a key management service over the derived keys"
		if len(pins) > 0 {
			c.Remedy = "only a platform with such a service has them; leave custody.kms_roots out of your policy for others"
		}
	case len(pins) > 0 && !slices.Contains(pins, root):
		c.Outcome, c.Fault, c.Detail = appraisal.Failed, "operator", "the derived keys come from another key management service than your policy names"
		c.Remedy = "whoever runs that service can derive these keys: ask the operator; if it is the right one, put its root into your policy"
	case chains.missing != "":
		c.Detail = fmt.Sprintf("a key management service signed %d derived keys, but the evidence brings none of its signatures over %s", chains.judged, chains.missing)
		c.Remedy = "ask for the evidence again; if it stays, nobody vouches for that key"
	case len(pins) == 0:
		c.Detail = fmt.Sprintf("one key management service %s; whether it is the right one only a pin in your policy can say (custody.kms_roots)", signed)
	default:
		c.Outcome, c.Detail = appraisal.Passed, "the key management service that your policy names "+signed
	}
	a.add(c)
}

var errNoApp = errors.New("no measured log names the app")

// chains is what the key chains of a start's evidence say together.
type chains struct {
	root    string // the one they end at (hex, compressed); "" if there is none to follow
	judged  int    // keys with a chain
	missing string // a key that the platform signs and no chain is for
	older   bool   // of a version of dstack that signs secp256k1 keys only
}

func followChains(s *start) (out chains, err error) {
	if s.parts == nil {
		return out, nil
	}
	appID, measured := appIDOf(s)
	wanted := derivedKeys(s.parts)
	out.older = true
	for i := range s.evidence.KeyChain {
		claim := &s.evidence.KeyChain[i]
		digest, known := claimDigest(claim)
		if !known || len(claim.Chain) != 2 || len(claim.Chain[1]) == 0 {
			continue // certificates of tappd, or a platform without such a service
		}
		if !measured {
			return chains{}, errNoApp
		}
		if err := wanted.take(claim); err != nil {
			return chains{}, err
		}
		end, err := followChain(digest, claim, appID)
		if err != nil {
			return chains{}, fmt.Errorf("the %.20q key: %w", claim.Use, err)
		}
		if out.root != "" && out.root != end {
			return chains{}, fmt.Errorf("one ends at root %s, another at %s", out.root, end)
		}
		out.root, out.judged = end, out.judged+1
		out.older = out.older && claim.API == "dstack/v0" && claim.Algorithm == "secp256k1"
	}
	out.missing = wanted.missing(out.older)
	return out, nil
}

func followChain(digest [32]byte, claim *evidence.KeyClaim, appID []byte) (string, error) {
	app, err := recoverSecp256k1(digest, claim.Chain[0])
	if err != nil {
		return "", fmt.Errorf("the app root's signature: %w", err)
	}
	root, err := recoverSecp256k1(keccak256([]byte("dstack-kms-issued:"), appID, app), claim.Chain[1])
	if err != nil {
		return "", fmt.Errorf("the service's signature: %w", err)
	}
	return hex.EncodeToString(root), nil
}

// claimDigest is what the app root signed, per version of dstack's API.
func claimDigest(c *evidence.KeyClaim) ([32]byte, bool) {
	switch c.API {
	case "dstack/v0":
		return keccak256([]byte(c.Purpose + ":" + hex.EncodeToString(c.PublicKey))), true
	case "dstack/v1":
		var b []byte
		for _, part := range []string{"dstack-guest-v1-key-claim", c.Algorithm, c.Path, string(c.PublicKey)} {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
		}
		return keccak256(b), true
	}
	return [32]byte{}, false
}

// appIDOf is the app id that the guest's system wrote into the measured log.
func appIDOf(s *start) ([]byte, bool) {
	if !s.readable() {
		return nil, false
	}
	events, ok := replayed(s.evidence, s.judged.report.Quote.TD)
	if !ok {
		return nil, false
	}
	system, err := eventlog.ReadSystem(events)
	return system.AppID, err == nil
}

// derived are the keys that an attested statement names: a log's by itself, a wallet's by its address.
type derived map[string]*derivedKey

type derivedKey struct{ needed, taken bool }

// derivedKeys lists them. Eliza's wallets come from a call that signs nothing.
func derivedKeys(parts []*evidence.AgentPart) derived {
	d := derived{}
	for _, p := range parts {
		d["log key "+hex.EncodeToString(p.Log.Key[:])] = &derivedKey{needed: true}
		for _, w := range p.Wallets {
			d[walletName(w.Chain, w.Address)] = &derivedKey{needed: strings.HasPrefix(w.Derivation, "teapot/")}
		}
	}
	return d
}

func walletName(chain, address string) string {
	if chain == "evm" {
		address = strings.ToLower(address)
	}
	return chain + " wallet " + address
}

// take notes a chain for a key. A second one for the same key is no more than work for the reader.
func (d derived) take(c *evidence.KeyClaim) error {
	key := d[keyName(c)]
	switch {
	case key == nil:
		return fmt.Errorf("a %.20q key is none of these agents'", c.Use)
	case key.taken:
		return fmt.Errorf("the %.20q key %x stands in it twice", c.Use, []byte(c.PublicKey))
	}
	key.taken = true
	return nil
}

// missing names a key without a chain. dstack before 0.5.7 signs no ed25519 keys: all of an app's keys come from one root, in
// measured code, so there the others' chains speak for them.
func (d derived) missing(older bool) string {
	for _, name := range slices.Sorted(maps.Keys(d)) {
		if k := d[name]; k.needed && !k.taken && (!older || strings.HasPrefix(name, "evm ")) {
			return "the " + name
		}
	}
	return ""
}

func keyName(c *evidence.KeyClaim) string {
	switch {
	case c.Algorithm == "secp256k1":
		address, ok := evmAddress(c.PublicKey)
		if !ok {
			return ""
		}
		return walletName("evm", "0x"+hex.EncodeToString(address[:]))
	case c.Algorithm != "ed25519" || len(c.PublicKey) != ed25519.PublicKeySize:
		return ""
	case c.Use == "log":
		return "log key " + hex.EncodeToString(c.PublicKey)
	}
	return walletName("solana", base58(c.PublicKey))
}

// base58 is Bitcoin's alphabet, as Solana writes addresses.
func base58(b []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n, digit := new(big.Int).SetBytes(b), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), digit)
		out = append(out, alphabet[digit.Int64()])
	}
	for i := 0; i < len(b) && b[i] == 0; i++ {
		out = append(out, '1')
	}
	slices.Reverse(out)
	return string(out)
}
