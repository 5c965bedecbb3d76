from native.totals_reference import Totals as Totals
