package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/client"
	v1 "github.com/teapot-tee/teapot/server/v1"
)

// What a hostile server sends reaches the terminal as text, wherever it stands in an answer.
func TestServersCannotPaintOnTheTerminal(t *testing.T) {
	const paint = "\x1b[2J\x1b[32mVERIFIED\x07\u202e"
	var out bytes.Buffer
	if code := report(&out, &exitError{code: 2, err: errors.New("it says " + paint + "\nsecond line"), hint: paint}); code != 2 {
		t.Fatal(code)
	}
	if !strings.Contains(out.String(), "\nsecond line\n") {
		t.Error("lines were joined")
	}
	text := paint
	printEntry(foreign{&out}, &shownEntry{Entry: &v1.Entry{Type: paint, RoomName: paint, Content: &v1.Content{Status: paint, MediaType: paint, Text: &text}}}, 1)
	printStats(foreign{&out}, &actionlog.Stats{Origin: paint, Types: map[string]uint64{paint: 1}})
	printWallets(foreign{&out}, []client.Wallet{{Chain: paint, Address: paint, Warnings: []string{paint}}})
	if strings.ContainsAny(out.String(), "\x1b\x07\u202e") || strings.Count(out.String(), "VERIFIED") < 8 {
		t.Errorf("%q", out.String())
	}
}

func TestAFullDiskIsSaidWithWhatToDo(t *testing.T) {
	var out bytes.Buffer
	if code := report(&out, fmt.Errorf("writing segment 1: %w", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})); code != 2 || !strings.Contains(out.String(), "make room and start again") {
		t.Errorf("exit %d: %s", code, &out)
	}
}
