"""The peer PyTorch, with transformers and PEFT."""

import jobs
import peer

if __name__ == "__main__":
    peer.main(jobs)
