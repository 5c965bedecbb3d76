from native.sums_reference import SecondSums as SecondSums
