package index

import (
	"errors"

	"github.com/ncruces/go-sqlite3"
)

const maxWords = 1 << 16 // dictionary entries kept in memory

// Apply adds rows of one log. They are visible at once to queries here and durable with the next Commit.
func (x *Index) Apply(log int64, rows []Row) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.begin(); err != nil {
		return err
	}
	for i := range rows {
		if err := x.apply(log, &rows[i]); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return x.exec("UPDATE logs SET applied = ? WHERE id = ?", int64(rows[len(rows)-1].Index+1), log)
}

// Commit makes what was applied durable.
func (x *Index) Commit() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.inTx {
		return nil
	}
	x.inTx = false
	return x.exec("COMMIT")
}

func (x *Index) begin() error {
	if x.inTx {
		return nil
	}
	x.inTx = true
	return x.exec("BEGIN IMMEDIATE")
}

func (x *Index) exec(sql string, args ...int64) error {
	s, err := x.stmt(sql)
	if err != nil {
		return err
	}
	for i, a := range args {
		if err := s.BindInt64(i+1, a); err != nil {
			return err
		}
	}
	return s.Exec()
}

func (x *Index) apply(log int64, r *Row) error {
	base := log << logShift
	typ, err := x.word(log, wordType, []byte(r.Type))
	if err != nil {
		return err
	}
	room, err := x.person(log, wordRoom, r.Room)
	if err != nil {
		return err
	}
	user, err := x.person(log, wordUser, r.User)
	if err != nil {
		return err
	}
	if err := x.exec("INSERT INTO entries(at, time, type, room, user) VALUES(?, ?, ?, ?, ?)", base|int64(r.Index), int64(r.Time), typ, room, user); err != nil {
		return err
	}
	for _, c := range r.Cause {
		if err := x.exec("INSERT INTO effects(cause, effect) VALUES(?, ?)", base|int64(c), base|int64(r.Index)); err != nil {
			return err
		}
	}
	if r.Key == nil {
		return nil
	}
	return x.addKey(log, r)
}

func (x *Index) addKey(log int64, r *Row) error {
	s, err := x.stmt("INSERT OR IGNORE INTO keys(key, log, at) VALUES(?, ?, ?)")
	if err != nil {
		return err
	}
	if err := errors.Join(s.BindBlob(1, r.Key[:]), s.BindInt64(2, log), s.BindInt64(3, int64(r.Index))); err != nil {
		return err
	}
	return s.Exec()
}

func (x *Index) person(log int64, kind int, p [16]byte) (int64, error) {
	if p == [16]byte{} {
		return 0, nil
	}
	return x.word(log, kind, p[:])
}

// word returns the dictionary id, making one where needed.
func (x *Index) word(log int64, kind int, word []byte) (int64, error) {
	k := wordKey{log, kind, string(word)}
	if id, ok := x.words[k]; ok {
		return id, nil
	}
	id, ok, err := x.findWord(log, kind, word)
	if err != nil {
		return 0, err
	}
	if !ok {
		s, err := x.bindWord("INSERT INTO words(log, kind, word) VALUES(?, ?, ?)", log, kind, word)
		if err != nil {
			return 0, err
		}
		if err := s.Exec(); err != nil {
			return 0, err
		}
		id = x.conn.LastInsertRowID()
	}
	if len(x.words) >= maxWords {
		clear(x.words)
	}
	x.words[k] = id
	return id, nil
}

func (x *Index) bindWord(sql string, log int64, kind int, word []byte) (*sqlite3.Stmt, error) {
	s, err := x.stmt(sql)
	if err != nil {
		return nil, err
	}
	return s, errors.Join(s.BindInt64(1, log), s.BindInt64(2, int64(kind)), s.BindBlob(3, word))
}

func (x *Index) findWord(log int64, kind int, word []byte) (id int64, ok bool, err error) {
	s, err := x.bindWord("SELECT id FROM words WHERE log = ? AND kind = ? AND word = ?", log, kind, word)
	if err != nil {
		return 0, false, err
	}
	if s.Step() {
		return s.ColumnInt64(0), true, s.Reset()
	}
	return 0, false, s.Err()
}
