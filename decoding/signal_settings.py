"""Settings of the path from microvolts to features: chosen for training, recorded in the decoder file."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FeatureName = Literal[
    "log_rms",
    "mav",
    "waveform_length",
    "zero_crossings",
    "slope_sign_changes",
    "ar_1",
    "ar_2",
    "ar_3",
    "ar_4",
    "log_welch_20_60",
    "log_welch_60_110",
    "log_welch_110_180",
    "log_welch_180_280",
    "log_welch_280_400",
    "correlation_1_20_80",
    "correlation_1_80_180",
    "correlation_1_180_400",
    "correlation_2_20_80",
    "correlation_2_80_180",
    "correlation_2_180_400",
    "correlation_3_20_80",
    "correlation_3_80_180",
    "correlation_3_180_400",
    "correlation_4_20_80",
    "correlation_4_80_180",
    "correlation_4_180_400",
    "correlation_5_20_80",
    "correlation_5_80_180",
    "correlation_5_180_400",
]
SpatialFilterName = Literal["none", "average", "laplacian"]


class SignalSettings(BaseModel):
    """How a decoder turns a stream into features; a trained decoder carries its own.

    Parameters
    ----------
    band_hz : tuple of float
        Edges of the band-pass; `decoding.filters.design_filter` clamps the upper one below Nyquist.
    filter_order : int
        Order of the Butterworth prototype (4 gives a band-pass of eight poles).
    powerline_hz : {None, 50, 60}
        Mains frequency to notch out, if any.
    powerline_harmonics : int
        How many of its multiples, itself the first, as far as they lie in the band. The mains' frequency varies
        by so much more at each multiple, and each notch is so much wider.
    spatial : {"none", "average", "laplacian"}
        What is subtracted from each sample: nothing, the mean of all channels (common average reference), or that of
        the neighbours on the grid.
    window_ms, hop_ms : float
        Length of a window, a whole number of hops, and the time between two of them.
    features : tuple of str
        Features of a channel, in the order of the decoder's input; `decoding.features` and `decoding.welch` define
        them.
    rms_floor_uv : float
        Log-RMS and log-powers (each band with its share of the floor) are taken of no less than this, so that the
        noise of a silent channel carries no pattern.
    slope_threshold_uv : float
        Smallest difference between neighbouring samples that counts as a crossing or a change of slope.
    saturation_uv : float or None
        Magnitude at which the amplifier clips, where known.
    settle_ms : float
        How long after a fault a channel stays repaired, while its filter settles.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    band_hz: tuple[float, float] = (20.0, 400.0)
    filter_order: int = Field(default=4, ge=1, le=8)
    powerline_hz: Literal[50, 60] | None = None
    powerline_harmonics: int = Field(default=1, ge=1, le=10)
    spatial: SpatialFilterName = "none"
    window_ms: float = Field(default=200.0, gt=0)
    hop_ms: float = Field(default=25.0, gt=0)
    features: tuple[FeatureName, ...] = Field(default=("log_rms",), min_length=1)
    rms_floor_uv: float = Field(default=5.0, gt=0)
    slope_threshold_uv: float = Field(default=5.0, ge=0)
    saturation_uv: float | None = Field(default=None, gt=0)
    settle_ms: float = Field(default=250.0, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> "SignalSettings":
        if not 0 < self.band_hz[0] < self.band_hz[1]:
            msg = f"band_hz must rise from above 0, got {self.band_hz[0]:g} to {self.band_hz[1]:g} Hz"
            raise ValueError(msg)
        if len(set(self.features)) != len(self.features):
            msg = f"features must differ from each other, got {', '.join(self.features)}"
            raise ValueError(msg)
        hops = self.window_ms / self.hop_ms
        if hops < 1 or abs(hops - round(hops)) > 1e-9:  # noqa: PLR2004 - rounding of decimal fractions
            msg = (
                f"window_ms must be a whole number of hops, got {self.window_ms:g} ms with a hop of "
                f"{self.hop_ms:g} ms"
            )
            raise ValueError(msg)
        return self

    @property
    def hops_per_window(self) -> int:
        """Number of hops that a window spans."""
        return round(self.window_ms / self.hop_ms)
