"""Speed against peers, side by side in one run; nothing here fails a test."""
