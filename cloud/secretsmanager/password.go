package secretsmanager

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

	defaultLength = 32
	maxLength     = 4096
)

// GetRandomPassword makes a password that has, unless told otherwise, one
// character of each kind at least.
func (s *Service) GetRandomPassword(_ context.Context, in *secretsmanager.GetRandomPasswordInput) (*secretsmanager.GetRandomPasswordOutput, error) {
	length := int64(defaultLength)
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	if length < 1 || length > maxLength {
		return nil, invalid("Password length must be between 1 and %d.", maxLength)
	}
	kinds := passwordKinds(in)
	all := strings.Join(kinds, "")
	if all == "" {
		return nil, invalid("The password can't be created: every character is excluded.")
	}
	var password []byte
	if in.RequireEachIncludedType == nil || *in.RequireEachIncludedType {
		if int(length) < len(kinds) {
			return nil, invalid("Password length %d is too short based on the required types.", length)
		}
		for _, kind := range kinds {
			password = append(password, randomText(kind, 1)...)
		}
	}
	password = append(password, randomText(all, int(length)-len(password))...)
	for i := len(password) - 1; i > 0; i-- {
		j := randomBelow(i + 1)
		password[i], password[j] = password[j], password[i]
	}
	return &secretsmanager.GetRandomPasswordOutput{RandomPassword: aws.String(string(password))}, nil
}

// passwordKinds are the characters that may occur, by kind.
func passwordKinds(in *secretsmanager.GetRandomPasswordInput) []string {
	var kinds []string
	for _, kind := range []struct {
		characters string
		excluded   bool
	}{
		{lowercase, aws.ToBool(in.ExcludeLowercase)},
		{uppercase, aws.ToBool(in.ExcludeUppercase)},
		{digits, aws.ToBool(in.ExcludeNumbers)},
		{punctuation, aws.ToBool(in.ExcludePunctuation)},
		{" ", !aws.ToBool(in.IncludeSpace)},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(aws.ToString(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, kind.characters)
		if !kind.excluded && left != "" {
			kinds = append(kinds, left)
		}
	}
	return kinds
}
