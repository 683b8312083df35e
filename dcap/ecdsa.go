package dcap

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
)

// publicKey reads a point on P-256 that is not infinity: x||y, 32+32 bytes big-endian, both below p.
func publicKey(xy []byte) (*ecdsa.PublicKey, bool) {
	var point [65]byte
	point[0] = 4
	if len(xy) != 64 {
		return nil, false
	}
	copy(point[1:], xy)
	k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point[:])
	return k, err == nil
}

// verifyRaw checks r||s (32+32 bytes big-endian) over SHA-256(message).
func verifyRaw(k *ecdsa.PublicKey, message, rs []byte) bool {
	if len(rs) != 64 {
		return false
	}
	var buf [72]byte
	return verifyDER(k, message, encodeSignature(buf[:0], rs))
}

// verifyDER checks a DER SEQUENCE of r and s over SHA-256(message).
func verifyDER(k *ecdsa.PublicKey, message, signature []byte) bool {
	digest := sha256.Sum256(message)
	return ecdsa.VerifyASN1(k, digest[:], signature)
}

// encodeSignature turns r||s into DER. Zero stays zero and is refused by the verification.
func encodeSignature(b, rs []byte) []byte {
	b = append(b, tagSequence, 0)
	b = appendInteger(b, rs[:32])
	b = appendInteger(b, rs[32:])
	b[1] = byte(len(b) - 2)
	return b
}

func appendInteger(b, v []byte) []byte {
	for len(v) > 1 && v[0] == 0 {
		v = v[1:]
	}
	if v[0]&0x80 != 0 {
		b = append(b, tagInteger, byte(len(v)+1), 0)
	} else {
		b = append(b, tagInteger, byte(len(v)))
	}
	return append(b, v...)
}
