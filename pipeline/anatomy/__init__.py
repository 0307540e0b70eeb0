"""Kinematics and the subject's model in, the angles that laboratories report out: by Plug-in Gait and by the ISB.

Read `joint_angles.py` first. `bones.py` says where bony landmarks are, `segment_frames.py` how they make the frame of a
segment, `conventions.py` which rotation between which segments is called what.
"""
