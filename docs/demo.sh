#!/bin/sh
# Trains the brain bundle on synthetic phantoms by MONAI's own command, evaluates it on the test part, predicts.
# usage: docs/demo.sh BIN, where BIN is the folder of an environment's programs
set -eu
bin=$1
run=demo/run
rm -rf demo/run demo/images demo/predictions  # of an earlier demo
mkdir -p demo
echo "1/3 training on phantoms (about three minutes on two quiet cores) ..."
"$bin/python" -m monai.bundle run training --config_file bundles/brain/train.json --epochs 8 --run_dir $run
echo "2/3 evaluating on the test part, which training never saw ..."
"$bin/monai-tumor" evaluate $run
echo "3/3 predicting images from a folder ..."
"$bin/monai-tumor" data phantom demo/images --count 4 --seed 99
"$bin/monai-tumor" predict demo/images/images --bundle $run --output demo/predictions
echo
echo "Dice on the test part (phantoms, not patients):"
"$bin/python" -c "import json; print(json.load(open('$run/evaluation/001-test/metrics.json'))['lesion_cases']['dice']['text'])"
echo "picture (image, reference, prediction): $run/evaluation/001-test/comparison.png"
