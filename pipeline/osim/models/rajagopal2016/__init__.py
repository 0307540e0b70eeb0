"""The full-body model of Rajagopal et al. (2016; doi 10.1109/TBME.2016.2586891), as tables of its figures.

Source: `Rajagopal2016.osim` as released in opensim-org/opensim-models (file format of OpenSim 4.5, fiber damping 0.1
after Millard et al. 2013); `extract.py` writes the tables anew from that file. NOTICE, beside the repository's README,
has citation and licence. `tables.py` says what the columns mean, `build.py` makes an OpenSim model of them.

The tables hold the right side and the midline. The left side is their mirror image but for `left_exceptions.csv`,
which lists every figure of the released file's left side that isn't, each kept as it is there:

- `mtp_l`: the joint frames on calcaneus and toes are turned about x by -3.14159 rad where the mirror image has
  +3.14159. Both stand for pi, so the axis differs by 5e-6 rad.
- `radius_hand_l`: the joint frames on radius and hand are turned about z by +1.5708 rad, not -1.5708. A universal joint
  turns about its frame's x and y; this half turn of the mirrored frame gives both wrist angles the same meaning as on
  the right.
- `BF_at_gastroc_l` on `tibia_l`: quadrant "all" where the right cylinder has "y", so the short head of the left biceps
  femoris (`bfsh_l`) may pass its cylinder on either side. At 500 random poses in range its
  length is that of the right one all the same.

Left out: markers (a profile brings its own), bone surfaces, the groups of muscles and actuators, display settings.
"""
