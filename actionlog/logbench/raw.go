//go:build linux

package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/teapot-tee/teapot/tlog"
)

// limits are what one core and the disk do without us.
type limits struct {
	sign, verify, checkpoint, sync, frame time.Duration
}

// cpu is the processor time this process has used: on a busy machine it says more than the clock.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(n int, f func()) time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		begin := time.Now()
		f()
		times[i] = time.Since(begin)
	}
	slices.Sort(times)
	return times[n/2]
}

func (b *bench) raw() error {
	msg := make([]byte, 350)
	sig := ed25519.Sign(b.keys.agent, msg)
	pub := b.keys.agent.Public().(ed25519.PublicKey)
	signer, err := tlog.NewCheckpointSigner(tlog.Origin(agent, b.keys.log.Public().(ed25519.PublicKey)), b.keys.log, b.keys.boot)
	if err != nil {
		return err
	}
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return err
	}
	plain, out := make([]byte, 32<<10), make([]byte, 0, 33<<10)
	b.limits = limits{
		sign:       median(4001, func() { ed25519.Sign(b.keys.agent, msg) }),
		verify:     median(4001, func() { ed25519.Verify(pub, msg, sig) }),
		checkpoint: median(2001, func() { signer.Sign(5, tlog.Hash{}) }),
		frame:      median(2001, func() { gcm.Seal(out, make([]byte, 12), plain, nil) }),
	}
	if b.limits.sync, err = b.fdatasync(); err != nil {
		return err
	}
	l := b.limits
	fmt.Printf("raw limits: Ed25519 sign %v (%.0f/s a core), verify %v (%.0f/s a core), checkpoint (two signatures) %v, fdatasync of 2 KiB %v, AES-256-GCM frame of 32 KiB %v\n",
		l.sign, 1/l.sign.Seconds(), l.verify, 1/l.verify.Seconds(), l.checkpoint, l.sync, l.frame)
	return nil
}

// fdatasync measures writes over bytes that are already there, as a segment's are.
func (b *bench) fdatasync() (time.Duration, error) {
	f, err := os.Create(filepath.Join(b.dir, "raw"))
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(make([]byte, 4<<20)); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	at, block := int64(0), make([]byte, 2048)
	return median(1001, func() {
		_, err = f.WriteAt(block, at)
		at += 2048
		if e := unix.Fdatasync(int(f.Fd())); e != nil {
			err = e
		}
	}), err
}
