package index

import (
	"fmt"
	"testing"

	"github.com/teapot-tee/teapot/actionlog/disk/disktest"
)

func fill(t *testing.T, x *Index, from, to uint64) int64 {
	t.Helper()
	id, applied, err := x.Log("origin")
	if err != nil || applied != from {
		t.Fatalf("%d entries applied, want %d: %v", applied, from, err)
	}
	var rows []Row
	for i := from; i < to; i++ {
		r := Row{Index: i, Time: 1000 + i/3, Type: []string{"a", "b"}[i%2], Room: [16]byte{byte(i % 5)}}
		if i > 0 {
			r.Cause = []uint64{i - 1}
		}
		if i%10 == 0 {
			r.Key = &[16]byte{byte(i)}
		}
		rows = append(rows, r)
	}
	if err := x.Apply(id, rows); err != nil {
		t.Fatal(err)
	}
	return id
}

func reopen(t *testing.T, d *disktest.Disk) *Index {
	t.Helper()
	x, err := Open(d, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestAnswers(t *testing.T) {
	x := reopen(t, disktest.New())
	defer x.Close()
	id := fill(t, x, 0, 100)
	room := [16]byte{3}
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{To: 100, Types: []string{"a"}, Limit: 3}, "[0 2 4]"},
		{Query{To: 100, Types: []string{"a"}, Limit: 3, Newest: true, Skip: 1}, "[96 94 92]"},
		{Query{To: 100, Types: []string{"b", "a"}, Limit: 4, Newest: true}, "[99 98 97 96]"},
		{Query{To: 100, Room: &room, Limit: 3}, "[3 8 13]"},
		{Query{To: 100, Room: &room, Types: []string{"a"}, Limit: 3}, "[8 18 28]"},
		{Query{To: 100, Since: 1010, Until: 1011, Limit: 9}, "[30 31 32]"},
		{Query{From: 5, To: 8, Limit: 9}, "[5 6 7]"},
		{Query{To: 100, Types: []string{"none"}, Limit: 9}, "[]"},
	} {
		got, err := x.Candidates(id, c.q)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%+v: %v, want %s (%v)", c.q, got, c.want, err)
		}
	}
	if n, err := x.Count(id, Query{To: 100, Types: []string{"a"}}); n != 50 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
	if got, err := x.Effects(id, 41, 10); fmt.Sprint(got) != "[42]" || err != nil {
		t.Errorf("effects %v, %v", got, err)
	}
	if at, ok, err := x.ByKey(id, [16]byte{30}); at != 30 || !ok || err != nil {
		t.Errorf("by key: %d %v %v", at, ok, err)
	}
	if _, ok, _ := x.ByKey(id, [16]byte{31}); ok {
		t.Error("a key that was never used was found")
	}
}

// TestKeptOnlyAfterACleanClose: everything else begins anew.
func TestKeptOnlyAfterACleanClose(t *testing.T) {
	d := disktest.New()
	x := reopen(t, d)
	fill(t, x, 0, 50)
	killed := d.Copy() // without a close
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	closed := d.Copy()

	x = reopen(t, closed.Copy())
	fill(t, x, 50, 60) // kept: goes on at 50
	x.Close()
	x = reopen(t, killed)
	fill(t, x, 0, 10)
	x.Close()
	other, err := Open(closed.Copy(), [32]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, other, 0, 10)
	other.Close()
	for _, name := range []string{fileName, tagsName} {
		c := closed.Copy()
		b := c.Read(name)
		b[len(b)/2] ^= 1
		c.Put(name, b)
		x = reopen(t, c)
		_, applied, err := x.Log("origin")
		if name == tagsName && (applied != 0 || err != nil) {
			t.Errorf("with changed hashes %d entries were believed (%v)", applied, err)
		}
		x.Close()
	}
}

// TestChangedPageIsAnError, while the index is open.
func TestChangedPageIsAnError(t *testing.T) {
	d := disktest.New()
	x := reopen(t, d)
	id := fill(t, x, 0, 20_000)
	if err := x.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	b := d.Read(fileName)
	for at := 3 * pageSize; at < len(b); at += pageSize {
		b[at+100] ^= 1
	}
	d.Put(fileName, b)
	x = reopen(t, d)
	defer x.Close()
	if _, err := x.Candidates(id, Query{To: 20_000, Types: []string{"a"}, Limit: 20_000}); err == nil {
		t.Error("changed pages were read")
	}
}
