"""The original HiFi-GAN (github.com/jik876/hifi-gan)."""
