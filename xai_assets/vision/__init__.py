"""Pictures and the networks that look at them: geometry, preprocessing, classifiers, image-text encoders.

What does not belong here: explaining a network (`attribution`), naming its units (`dissection`), drawing
pictures (`world`).
"""
