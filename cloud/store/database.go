package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"modernc.org/sqlite"
)

// schemaVersion is kept in the database's user_version. A change of the schema
// adds a step to migrations.
const schemaVersion = 3

// migrations[i] brings the schema from version i to i+1.
var migrations = [schemaVersion][]string{
	{
		`CREATE TABLE records (
			kind TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL,
			PRIMARY KEY (kind, scope, id)) WITHOUT ROWID`,
		`CREATE TABLE journal (
			kind TEXT NOT NULL, scope TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, value BLOB NOT NULL,
			PRIMARY KEY (kind, scope, stream, seq)) WITHOUT ROWID`,
		`CREATE TABLE sequences (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID`,
	},
	// A table with row ids keeps values of up to a page where they are, and
	// rising ids are written at its end: half the work of a record.
	{`CREATE TABLE chunks (id INTEGER PRIMARY KEY, value BLOB NOT NULL)`},
	// Without row ids, values stood in the tree that is searched by name, and a
	// search that came past a long one read the whole of it.
	{
		`ALTER TABLE records RENAME TO former`,
		`CREATE TABLE records (kind TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL)`,
		`INSERT INTO records SELECT kind, scope, id, value FROM former`,
		`DROP TABLE former`,
		`CREATE UNIQUE INDEX record ON records (kind, scope, id)`,
		`ALTER TABLE journal RENAME TO former`,
		`CREATE TABLE journal (kind TEXT NOT NULL, scope TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, value BLOB NOT NULL)`,
		`INSERT INTO journal SELECT kind, scope, stream, seq, value FROM former`,
		`DROP TABLE former`,
		`CREATE UNIQUE INDEX entry ON journal (kind, scope, stream, seq)`,
	},
}

// conn is one connection to the database, with the statements that it has
// prepared. One goroutine uses it at a time. It stands on the driver itself:
// database/sql would take longer over a statement than SQLite does.
type conn struct {
	driver.Conn
	prepared map[string]driver.Stmt
}

func connect(file string) (*conn, error) {
	name := "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file)
	c, err := (&sqlite.Driver{}).Open(name)
	if err != nil {
		return nil, err
	}
	db := &conn{Conn: c, prepared: map[string]driver.Stmt{}}
	if err := db.run("PRAGMA busy_timeout = 10000"); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// openDatabase opens the writer's connection and brings the schema up to date.
func openDatabase(file string) (*conn, error) {
	// SQLite gives its side files the mode of the database file.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	c, err := connect(file)
	if err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *conn) prepare() error {
	// The checkpoint is what syncs, so it comes seldom: every 16 MB of writes.
	// Savepoints need no file, and 8 MB of pages need not be read again.
	for _, pragma := range []string{"journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 4000", "temp_store = MEMORY", "cache_size = -8000"} {
		if err := c.run("PRAGMA " + pragma); err != nil {
			return err
		}
	}
	return c.migrate()
}

func (c *conn) migrate() error {
	var version int64
	err := c.query("PRAGMA user_version", func(row []driver.Value) error {
		version = row[0].(int64)
		return nil
	})
	if err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("it was written by a newer ouro (state version %d; this ouro knows up to %d)", version, schemaVersion)
	}
	for ; version < schemaVersion; version++ {
		steps := append([]string{"BEGIN IMMEDIATE"}, migrations[version]...)
		steps = append(steps, fmt.Sprintf("PRAGMA user_version = %d", version+1), "COMMIT")
		for _, step := range steps {
			if err := c.run(step); err != nil {
				return fmt.Errorf("bringing the state to version %d: %w", version+1, err)
			}
		}
	}
	return nil
}

// stmt is the statement of the text, prepared at its first use and kept.
func (c *conn) stmt(text string) (driver.Stmt, error) {
	if s, ok := c.prepared[text]; ok {
		return s, nil
	}
	s, err := c.Prepare(text)
	if err != nil {
		return nil, err
	}
	c.prepared[text] = s
	return s, nil
}

// exec runs a statement that is kept and tells how many rows it changed.
func (c *conn) exec(text string, args ...any) (int64, error) {
	s, err := c.stmt(text)
	if err != nil {
		return 0, err
	}
	r, err := s.(driver.StmtExecContext).ExecContext(context.Background(), values(args))
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// query runs a statement that is kept and calls each with every row. The row
// is each's only until it returns; the bytes in it may be kept.
func (c *conn) query(text string, each func(row []driver.Value) error, args ...any) (err error) {
	s, err := c.stmt(text)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), values(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// run runs a statement that is not worth keeping.
func (c *conn) run(text string) error {
	s, err := c.Prepare(text)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(context.Background(), nil)
	return errors.Join(err, s.Close())
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.prepared {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.Close())...)
}

func values(args []any) []driver.NamedValue {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return named
}
