package template

import (
	"math/big"
	"math/bits"
	"net/netip"
	"strconv"
)

// evalCidr cuts count blocks with the given number of host bits from the
// beginning of an address block. Without the third argument the block is cut
// into the smallest power of two of equal parts that gives count.
func evalCidr(e *evaluator, arg *Node) (any, error) {
	block, err := e.text(arg.Items[0], cidrShape)
	if err != nil {
		return nil, err
	}
	if later(block) {
		return KnownAfterApply, nil
	}
	prefix, err := netip.ParsePrefix(block)
	if err != nil {
		return nil, evalError(arg, "Template error: Fn::Cidr requires a valid IP address block, %q is none", block)
	}
	count, err := e.integer(arg.Items[1])
	if err != nil {
		return nil, err
	}
	if count < 1 || count > 256 {
		return nil, evalError(arg, "Template error: Fn::Cidr requires a count between 1 and 256, not %d", count)
	}
	size := prefix.Addr().BitLen()
	length := prefix.Bits() + bits.Len(uint(count-1))
	if len(arg.Items) == 3 {
		hostBits, err := e.integer(arg.Items[2])
		if err != nil {
			return nil, err
		}
		length = size - hostBits
	}
	if length < prefix.Bits() || length > size || count > 1 && bits.Len(uint(count-1)) > length-prefix.Bits() {
		return nil, evalError(arg, "Template error: Fn::Cidr cannot cut %d blocks of that size from %s", count, block)
	}
	return cut(prefix.Masked().Addr(), length, count), nil
}

func (e *evaluator) integer(n *Node) (int, error) {
	text, err := e.text(n, cidrShape)
	if err != nil {
		return 0, err
	}
	v, err := strconv.Atoi(text)
	if err != nil {
		return 0, evalError(n, "%s", cidrShape)
	}
	return v, nil
}

func cut(first netip.Addr, length, count int) []any {
	address := new(big.Int).SetBytes(first.AsSlice())
	step := new(big.Int).Lsh(big.NewInt(1), uint(first.BitLen()-length))
	out := make([]any, count)
	for i := range out {
		raw := address.FillBytes(make([]byte, first.BitLen()/8))
		a, _ := netip.AddrFromSlice(raw)
		out[i] = netip.PrefixFrom(a, length).String()
		address.Add(address, step)
	}
	return out
}
