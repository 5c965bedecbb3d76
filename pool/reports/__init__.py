"""What owners and hosts of fleets are told: a relocation, commissioning, power, downtime, uptime, weak machines."""
