package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"

	"ouro/cloud/seal"
)

// openBox opens the box that seals what must not lie readable in the database.
func (l *Ledger) openBox() (*seal.Box, error) {
	box, err := seal.Open(l.Store.Dir(service))
	if err != nil {
		return nil, fmt.Errorf("opening the key of cloudformation's secrets: %w", err)
	}
	return box, nil
}

func (l *Ledger) sealJSON(value any) (string, error) {
	box, err := l.box()
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	return box.Seal(plain, service), nil
}

// openJSON opens what sealJSON gave; nothing leaves into as it is.
func (l *Ledger) openJSON(sealed string, into any) error {
	if sealed == "" {
		return nil
	}
	box, err := l.box()
	if err != nil {
		return err
	}
	plain, err := box.Unseal(sealed, service)
	if err != nil {
		return fmt.Errorf("opening a sealed record: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	return d.Decode(into)
}

// Seal makes the record of a parameter; the value of a NoEcho one is sealed.
func (l *Ledger) Seal(key, value string, noEcho bool) (Parameter, error) {
	if !noEcho {
		return Parameter{Key: key, Value: value}, nil
	}
	sealed, err := l.sealJSON(value)
	return Parameter{Key: key, NoEcho: true, Sealed: sealed}, err
}

// Reveal is the value of a parameter, sealed or not.
func (l *Ledger) Reveal(p Parameter) (string, error) {
	value := p.Value
	err := l.openJSON(p.Sealed, &value)
	return value, err
}
