"""The header of the untrained detector that the fixture `models` exports."""

from efficientad.deploy.engine import ModelHeader

SIDE = 64
HEADER = ModelHeader(size="S", image_size=SIDE, category="washer", threshold=0.31, false_alarm_rate=0.05)
