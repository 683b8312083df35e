package legacy

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
)

// AuditFile opens a tee_log.sqlite read-only and judges every row, oldest first. Progress, if not nil, is called now and
// then with the number of rows read.
func AuditFile(path string, progress func(rows int)) (Report, error) {
	if _, err := os.Stat(path); err != nil {
		return Report{}, err
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return Report{}, err
	}
	conn, err := sqlite3.OpenFlags("file:"+(&url.URL{Path: whole}).EscapedPath()+"?mode=ro", sqlite3.OPEN_READONLY|sqlite3.OPEN_URI)
	if err != nil {
		return Report{}, fmt.Errorf("opening %s: %w", path, err)
	}
	report, err := auditConn(conn, progress)
	if err != nil {
		err = fmt.Errorf("%s is not a database of plugin-tee-log: %w", path, err)
	}
	return report, errors.Join(err, conn.Close())
}

func auditConn(conn *sqlite3.Conn, progress func(int)) (Report, error) {
	keys := map[string][]string{}
	err := each(conn, "SELECT agentId, publicKey FROM tee_agents ORDER BY createdAt", func(s *sqlite3.Stmt) {
		agent := s.ColumnText(0)
		keys[agent] = append(keys[agent], s.ColumnText(1))
	})
	if err != nil {
		return Report{}, err
	}
	var rows []Row
	err = each(conn, "SELECT id, agentId, roomId, userId, type, content, timestamp, signature FROM tee_logs ORDER BY timestamp, rowid", func(s *sqlite3.Stmt) {
		rows = append(rows, Row{
			s.ColumnText(0), s.ColumnText(1), s.ColumnText(2), s.ColumnText(3), s.ColumnText(4), s.ColumnText(5), s.ColumnText(6), s.ColumnText(7),
		})
		if progress != nil && len(rows)%1000 == 0 {
			progress(len(rows))
		}
	})
	if err != nil {
		return Report{}, err
	}
	return Audit(rows, func(agent string) []string { return keys[agent] }), nil
}

func each(conn *sqlite3.Conn, sql string, f func(*sqlite3.Stmt)) error {
	s, _, err := conn.Prepare(sql)
	if err != nil {
		return err
	}
	for s.Step() {
		f(s)
	}
	return errors.Join(s.Err(), s.Close())
}
