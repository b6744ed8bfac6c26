"""A simulated wearer: high-density surface EMG from motor units, in real time.

Files in the order that an intention becomes microvolts:

- ``settings.py``: who wears what
- ``population.py``: what differs between wearers, from one seed each
- ``impairment.py``: what an injury of the cervical cord leaves of each muscle
- ``synergies.py`` ``ten_gestures.yaml``: which muscles a gesture uses
- ``drive.py``: an intention to the excitation of each muscle
- ``anatomy.py`` ``motor_units.py``: muscles, and the units within them
- ``recruitment.py``: excitation to firings
- ``volume_conductor.py`` ``muap.py``: a unit's action potential on the electrodes
- ``fatigue.py``: slower conduction with work
- ``sleeve.py``: where the electrodes lie on this arm, put on this time
- ``synthesis.py``: action potentials at their firing times, added up
- ``electrode_skin.py`` ``artefacts.py`` ``amplifier.py``: all that is not EMG, and how it is measured
- ``wearer.py``: the source
"""
