package verify

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
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
	root, judged, err := chainRoot(s)
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
	case len(pins) == 0:
		c.Detail = fmt.Sprintf("one key management service signed all %d derived keys; whether it is the right one only a pin in your policy can say (custody.kms_roots)", judged)
	case !slices.Contains(pins, root):
		c.Outcome, c.Fault, c.Detail = appraisal.Failed, "operator", "the derived keys come from another key management service than your policy names"
		c.Remedy = "whoever runs that service can derive these keys: ask the operator; if it is the right one, put its root into your policy"
	default:
		c.Outcome, c.Detail = appraisal.Passed, fmt.Sprintf("the key management service that your policy names signed all %d derived keys", judged)
	}
	a.add(c)
}

var errNoApp = errors.New("no measured log names the app")

// chainRoot follows every chain of a start's evidence and returns the one root they end at (hex, compressed); "" if there is
// none to follow.
func chainRoot(s *start) (root string, judged int, err error) {
	if s.parts == nil {
		return "", 0, nil
	}
	appID, measured := appIDOf(s)
	for i := range s.evidence.KeyChain {
		claim := &s.evidence.KeyChain[i]
		digest, known := claimDigest(claim)
		if !known || len(claim.Chain) != 2 || len(claim.Chain[1]) == 0 {
			continue // certificates of tappd, or a platform without such a service
		}
		if !measured {
			return "", 0, errNoApp
		}
		if !ownKey(claim, s.parts) {
			return "", 0, fmt.Errorf("the %s key %x is none of these agents'", claim.Use, []byte(claim.PublicKey))
		}
		end, err := followChain(digest, claim, appID)
		if err != nil {
			return "", 0, fmt.Errorf("the %s key: %w", claim.Use, err)
		}
		if root != "" && root != end {
			return "", 0, fmt.Errorf("one ends at root %s, another at %s", root, end)
		}
		root, judged = end, judged+1
	}
	return root, judged, nil
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

// ownKey says whether the attested statement names the key: as a log's, or as a wallet's by its address.
func ownKey(c *evidence.KeyClaim, parts []*evidence.AgentPart) bool {
	address := ""
	if evm, ok := evmAddress(c.PublicKey); ok && c.Algorithm == "secp256k1" {
		address = "0x" + hex.EncodeToString(evm[:])
	}
	return slices.ContainsFunc(parts, func(p *evidence.AgentPart) bool {
		if c.Use == "log" {
			return c.Algorithm == "ed25519" && bytes.Equal(c.PublicKey, p.Log.Key[:])
		}
		return slices.ContainsFunc(p.Wallets, func(w evidence.Wallet) bool {
			return address != "" && strings.EqualFold(w.Address, address) || c.Algorithm == "ed25519" && w.Address == base58(c.PublicKey)
		})
	})
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
