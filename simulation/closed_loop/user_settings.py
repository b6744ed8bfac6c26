"""What a virtual user is like: delays, precision, learning and mistakes, each with where its value comes from.

References
----------
[1] Woods, Wyma, Yund, Herron, Reed, *Factors influencing the latency of simple reaction time*, Front. Hum. Neurosci. 9,
    2015: 213 ms corrected for hardware, of which 131 ms to detect the stimulus; the rest is the begin of the movement.
[2] Hick, *On the rate of gain of information*, Q. J. Exp. Psychol. 4, 1952; Card, Moran, Newell, *The Psychology of
    Human-Computer Interaction*, 1983: choosing among n takes about 150 ms a bit, log2(n + 1) bits.
[3] Luce, *Response Times*, 1986: reaction times are skewed to the right; a lognormal serves here.
[4] Welford, *Fundamentals of Skill*, 1968; Schmidt, *Motor Learning and Performance*, 1991: timing one's act to a
    moving object that is seen has a spread of some 30 to 60 ms.
[5] Swain, Guttmann, *Handbook of Human Reliability Analysis* (NUREG/CR-1278), 1983: 0.003 for the selection of a wrong
    control, up to 0.5 for a wrong direction under stress and against expectation.
[6] Thoroughman, Shadmehr, *Learning of action through adaptive combination of motor primitives*, Nature 407, 2000: one
    trial's error changes the next movement by a fifth or so.
[7] Rabbitt, *Error correction time without external error signals*, Nature 212, 1966: an own error is noticed and
    corrected within some tenths of a second.
"""

from pydantic import BaseModel, ConfigDict, Field


class UserSettings(BaseModel):
    """A virtual user; seconds and shares.

    Parameters
    ----------
    perception_s : float
        From what happens to having seen it [1].
    movement_s : float
        From a decision to act to the muscle's own begin [1].
    choice_s_per_bit : float
        To choose among the map's gestures [2].
    reaction_spread : float
        Standard deviation of the logarithm of a reaction's time [3].
    timing_sd_s : float
        Spread of a release that is timed to where the robot will be [4].
    wrong_gesture : float
        Probability that a gesture made is not the one meant [5]; above Swain and Guttmann's 0.003, for a gesture
        without an object in hand has no shape of its own to feel.
    noticed_s : float
        How long a wrong gesture is held before it is noticed [7].
    lapse_per_s : float
        How often a held gesture is let go for no reason (an assumption: once in 100 s).
    learning : float
        Share of an error in predicting the robot's coasting that is learned from one movement [6].
    coasting_s : float
        How long the user first expects the robot to go on after the muscle's release.
    pulse_adds_s : float
        How much longer than a short gesture is held the user first expects the robot to move.
    tap_s, tap_sd_s : float
        How long a short gesture is held, and its spread: within the bundled maps' 0.1 to 0.6 s.
    tap_grows_s : float
        How much longer the next short gesture is held after one without effect, up to the middle of what the map
        takes for short (an assumption: who sees that a switch did not take presses longer).
    patience_s : float
        How long the user waits for a gesture to show an effect before relaxing and making it anew.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    perception_s: float = Field(default=0.131, ge=0, le=1.0)
    movement_s: float = Field(default=0.082, ge=0, le=1.0)
    choice_s_per_bit: float = Field(default=0.15, ge=0, le=1.0)
    reaction_spread: float = Field(default=0.2, ge=0, le=1.0)
    timing_sd_s: float = Field(default=0.05, ge=0, le=1.0)
    wrong_gesture: float = Field(default=0.02, ge=0, le=1.0)
    noticed_s: float = Field(default=0.4, ge=0, le=5.0)
    lapse_per_s: float = Field(default=0.01, ge=0, le=10.0)
    learning: float = Field(default=0.2, ge=0, le=1.0)
    coasting_s: float = Field(default=0.25, ge=0, le=2.0)
    pulse_adds_s: float = Field(default=0.1, ge=-1, le=2.0)
    tap_s: float = Field(default=0.25, gt=0, le=2.0)
    tap_sd_s: float = Field(default=0.05, ge=0, le=1.0)
    tap_grows_s: float = Field(default=0.03, ge=0, le=1.0)
    patience_s: float = Field(default=1.5, gt=0, le=10.0)
