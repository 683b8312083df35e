package sim

import (
	"crypto/ecdsa"

	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// keyTree is what a guest agent gets from its key provider, made from one seed. The app id does not enter the app's root:
// an edited app-compose file must not change a developer's wallets.
type keyTree struct {
	appRoot   [32]byte
	kmsLink   []byte
	kmsPublic []byte
	ca        *ecdsa.PrivateKey
}

func newKeyTree(seed []byte, appID [20]byte) (t keyTree, err error) {
	t.appRoot = dstackkey.AppRootOfSeed(seed)
	kms := dstackkey.Derive(seed, []byte("teapot-simulated-kms"))
	public, err := dstackkey.Public(t.appRoot, "secp256k1")
	if err != nil {
		return t, err
	}
	if t.kmsLink, err = dstackkey.Sign(kms, dstackkey.ClaimKMS(appID[:], public)); err != nil {
		return t, err
	}
	if t.kmsPublic, err = dstackkey.Public(kms, "secp256k1"); err != nil {
		return t, err
	}
	t.ca, err = dstackkey.P256(dstackkey.Derive(seed, []byte("app-key")))
	return t, err
}
