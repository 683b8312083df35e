package ratls

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/teapot-tee/teapot/evidence"
)

// Suites. X25519 with HKDF-SHA256 and AES-256-GCM is EHBP's own; MLKEM768X25519 (draft-ietf-hpke-pq, 0x647a) is Teapot's
// against whoever records today and decrypts with a quantum computer later.
const (
	KeyX25519 = 0 // HPKEKey.ID, also the key id in the key configuration
	KeyMLKEM  = 1

	kemX25519 = 0x0020
	kemMLKEM  = 0x647a
	kdfSHA256 = 0x0001
	aeadAES   = 0x0002

	encX25519 = 32        // bytes of an encapsulated key
	encMLKEM  = 1088 + 32 //
	pubMLKEM  = 1184 + 32 // bytes of a public key
	pubX25519 = 32        //
	infoEHBP  = "ehbp request"
	exportTag = "ehbp response"
)

// SealKeys are the HPKE keys of one start: made in memory, never stored, named in the boot statement.
type SealKeys struct {
	x25519, mlkem hpke.PrivateKey
}

// NewSealKeys makes fresh keys.
func NewSealKeys() (*SealKeys, error) {
	x, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("making the HPKE keys: %w", err)
	}
	m, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("making the HPKE keys: %w", err)
	}
	return &SealKeys{x, m}, nil
}

// Public lists the keys as the boot statement names them, sorted by ID.
func (k *SealKeys) Public() []evidence.HPKEKey {
	key := func(id, kem uint64, p hpke.PrivateKey) evidence.HPKEKey {
		return evidence.HPKEKey{ID: id, KEM: kem, KDF: kdfSHA256, AEAD: aeadAES, Public: p.PublicKey().Bytes()}
	}
	return []evidence.HPKEKey{key(KeyX25519, kemX25519, k.x25519), key(KeyMLKEM, kemMLKEM, k.mlkem)}
}

// Config is the body of GET /.well-known/hpke-keys (application/ohttp-keys): RFC 9458 key configurations one after the
// other, EHBP's first, without the length prefix that RFC 9458 section 3.1 gained later, as the npm client reads it.
func (k *SealKeys) Config() []byte {
	var b []byte
	for _, key := range k.Public() {
		b = append(b, byte(key.ID))
		b = binary.BigEndian.AppendUint16(b, uint16(key.KEM))
		b = append(b, key.Public...)
		b = binary.BigEndian.AppendUint16(b, 4)
		b = binary.BigEndian.AppendUint16(b, uint16(key.KDF))
		b = binary.BigEndian.AppendUint16(b, uint16(key.AEAD))
	}
	return b
}

// recipient opens an encapsulated key; its length says which suite it is for.
func (k *SealKeys) recipient(enc []byte, info string) (id uint64, r *hpke.Recipient, err error) {
	private := k.x25519
	switch len(enc) {
	case encX25519:
	case encMLKEM:
		id, private = KeyMLKEM, k.mlkem
	default:
		return 0, nil, fmt.Errorf("an encapsulated key of %d bytes: want %d (X25519) or %d (MLKEM768X25519)", len(enc), encX25519, encMLKEM)
	}
	r, err = hpke.NewRecipient(enc, private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(info))
	return id, r, err
}

// sender encapsulates to a key of a boot statement.
func sender(key evidence.HPKEKey, info string) (enc []byte, s *hpke.Sender, err error) {
	if key.KDF != kdfSHA256 || key.AEAD != aeadAES || key.KEM != kemX25519 && key.KEM != kemMLKEM {
		return nil, nil, fmt.Errorf("HPKE key %d uses suite %#x/%#x/%#x, which is not known here", key.ID, key.KEM, key.KDF, key.AEAD)
	}
	kem, err := hpke.NewKEM(uint16(key.KEM))
	if err != nil {
		return nil, nil, fmt.Errorf("HPKE key %d: %w", key.ID, err)
	}
	public, err := kem.NewPublicKey(key.Public)
	if err != nil {
		return nil, nil, fmt.Errorf("HPKE key %d: %w", key.ID, err)
	}
	return hpke.NewSender(public, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(info))
}

func sealedChannel(id uint64, enc []byte) evidence.Channel {
	sum := sha256.Sum256(enc)
	return evidence.Channel{Kind: evidence.ChannelHPKE, HPKEKeyID: id, Enc: sum[:]}
}
