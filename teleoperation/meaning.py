"""What each gesture would do now, in words, and the mode in words."""

from robot_bridge.gesture_map import Acts, GestureMap
from robot_bridge.operator_link import SleeveSnapshot

WORDS = {
    "base_translate": ("drive forward", "drive back"),
    "base_rotate": ("turn left", "turn right"),
    "lift": ("lift up", "lift down"),
    "arm": ("arm out", "arm in"),
    "wrist_yaw": ("wrist left", "wrist right"),
    "wrist_pitch": ("wrist up", "wrist down"),
    "wrist_roll": ("roll left", "roll right"),
    "gripper": ("open gripper", "close gripper"),
}


def mode_words(sleeve: SleeveSnapshot) -> str:
    """Return mode and speed, such as ``drive · coarse``; empty before the bridge has told them."""
    if not sleeve.mode:
        return ""
    return f"{sleeve.mode.replace('_', ' ')} · {'fine' if sleeve.fine else 'coarse'}"


def meanings(gesture_map: GestureMap, mode: str) -> list[tuple[str, str]]:
    """Return each gesture but rest with what it does in a mode; those without a meaning last."""
    rows = []
    for gesture in gesture_map.gestures:
        if gesture == gesture_map.rest:
            continue
        acts = gesture_map.modes.get(mode, {}).get(gesture)
        rows.append((gesture, "—" if acts is None else _says(acts, gesture_map, mode)))
    return sorted(rows, key=lambda row: row[1] == "—")


def _says(acts: Acts, gesture_map: GestureMap, mode: str) -> str:
    said = []
    if acts.move is not None:
        said.append(WORDS[acts.move.dof][0 if acts.move.sign > 0 else 1])
    for how, function in (("short", acts.tap), ("long", acts.hold)):
        if function == "toggle_speed":
            said.append(f"{how}: coarse/fine")
        elif function is not None:
            step = 1 if function == "next_mode" else -1
            said.append(f"{how}: to {gesture_map.after(mode, step).replace('_', ' ')}")
    return ", ".join(said)
